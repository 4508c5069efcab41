import { useInfiniteQuery } from '@tanstack/react-query'
import { CloudOff, FolderPlus, FolderX, CloudUpload } from 'lucide-react'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { useNavigate } from 'react-router'
import { useTranslations } from 'use-intl'
import { Problem } from '@/api/problem'
import type { Item } from '@/api/types'
import { useProblemText } from '@/i18n/problem-text'
import { Blank } from '@/ui/Blank'
import { Button } from '@/ui/Button'
import { MoreButton } from '@/ui/MoreButton'
import { listingOptions, type Sort } from '../queries'
import { useItemActions } from '../use-item-actions'
import { Breadcrumbs } from './Breadcrumbs'
import { DropZone } from './DropZone'
import { FileTable } from './FileTable'
import { NewFolderDialog } from './NewFolderDialog'
import { RowSkeletons } from './RowSkeletons'
import { UploadButton } from './UploadButton'

interface FileBrowserProps {
  parentId: string | undefined
  sort: Sort
  onSort: (sort: Sort) => void
  onFiles: (files: File[], folder: Item) => void
  onFoldersSkipped: (count: number) => void
}

export function FileBrowser({ parentId, sort, onSort, onFiles, onFoldersSkipped }: FileBrowserProps) {
  const t = useTranslations()
  const query = useInfiniteQuery(listingOptions(parentId, sort))
  const actions = useItemActions()
  const [creating, setCreating] = useState(false)
  const first = query.data?.pages[0]
  const items = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data])
  const folderName = first && (first.folder.filename || t('nav.files'))

  useEffect(() => {
    document.title = folderName === undefined ? 'CloudDocs' : `${folderName} – CloudDocs`
  }, [folderName])

  const take = useCallback(
    (files: File[], skipped = 0) => {
      if (first && files.length > 0) onFiles(files, first.folder)
      if (skipped > 0) onFoldersSkipped(skipped)
    },
    [first, onFiles, onFoldersSkipped],
  )

  if (query.isError && (!first || Problem.from(query.error).status === 404)) {
    return <ListingFailed problem={Problem.from(query.error)} onRetry={() => void query.refetch()} />
  }
  return (
    <>
      <header className="flex min-h-16 items-center gap-2 border-b border-line px-2 py-3 sm:gap-3 sm:px-3">
        {first ? <Breadcrumbs listing={first} /> : <div className="grow" />}
        {first && (
          <>
            <Button aria-label={t('files.new_folder')} onClick={() => setCreating(true)} className="max-sm:px-3">
              <FolderPlus aria-hidden="true" size={18} />
              <span className="hidden sm:inline">{t('files.new_folder')}</span>
            </Button>
            <UploadButton compact onFiles={take} />
            <NewFolderDialog parent={first.folder} open={creating} onClose={() => setCreating(false)} />
            <DropZone label={t('files.drop', { folder: folderName ?? '' })} onDrop={take} />
          </>
        )}
      </header>
      {!first ? (
        <RowSkeletons />
      ) : items.length === 0 ? (
        <Blank
          icon={<CloudUpload aria-hidden="true" size={36} />}
          title={first.folder.parent_id === null ? t('files.empty_root') : t('files.empty')}
          hint={t('files.empty_hint')}
        >
          <UploadButton onFiles={take} />
        </Blank>
      ) : (
        <FileTable label={t('files.list', { folder: folderName ?? '' })} items={items} sort={sort} onSort={onSort} onDownload={actions.download} onTrash={actions.trash} />
      )}
      {query.hasNextPage && <MoreButton label={t('app.more')} busy={query.isFetchingNextPage} onMore={() => void query.fetchNextPage()} />}
    </>
  )
}

function ListingFailed({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  const t = useTranslations()
  const problemText = useProblemText()
  const navigate = useNavigate()
  const missing = problem.status === 404 || problem.code === 'invalid_id'
  return (
    <Blank
      alert
      icon={missing ? <FolderX aria-hidden="true" size={36} /> : <CloudOff aria-hidden="true" size={36} />}
      title={missing ? t('files.missing') : t('files.failed')}
      hint={missing ? t('files.missing_hint') : problemText(problem)}
    >
      {missing ? <Button onClick={() => void navigate('/files')}>{t('app.home')}</Button> : <Button onClick={onRetry}>{t('app.retry')}</Button>}
    </Blank>
  )
}
