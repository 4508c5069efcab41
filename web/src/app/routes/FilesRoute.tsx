import { useCallback } from 'react'
import { useParams, useSearchParams } from 'react-router'
import { useTranslations } from 'use-intl'
import { useSession } from '@/api/use-session'
import type { Item } from '@/api/types'
import { FileBrowser } from '@/features/files/components/FileBrowser'
import { sorts, type Sort } from '@/features/files/queries'
import { uploadList } from '@/features/uploads/upload-list'
import { useToast } from '@/ui/Toasts'

export function FilesRoute() {
  const t = useTranslations()
  const toast = useToast()
  const state = useSession()
  const { folderId } = useParams()
  const [search, setSearch] = useSearchParams()
  const sort = sorts.find((known) => known === search.get('sort')) ?? 'name'
  const maxFileSize = state.status === 'signed_in' ? state.user.max_file_size : null

  const upload = useCallback(
    (files: File[], folder: Item) => uploadList.add(files, { id: folder.id, name: folder.filename || t('nav.files') }, maxFileSize),
    [t, maxFileSize],
  )
  const skipped = useCallback((count: number) => toast.show({ text: t('files.folder_skipped', { count }), tone: 'error' }), [t, toast])
  const sortBy = useCallback((next: Sort) => setSearch(next === 'name' ? {} : { sort: next }, { replace: true }), [setSearch])

  return <FileBrowser key={folderId ?? 'root'} parentId={folderId} sort={sort} onSort={sortBy} onFiles={upload} onFoldersSkipped={skipped} />
}
