import { useInfiniteQuery } from '@tanstack/react-query'
import { CloudOff, Trash2 } from 'lucide-react'
import { useEffect, useMemo, useState } from 'react'
import { useTranslations } from 'use-intl'
import { Problem } from '@/api/problem'
import type { Item } from '@/api/types'
import { useProblemText } from '@/i18n/problem-text'
import { Blank } from '@/ui/Blank'
import { Button } from '@/ui/Button'
import { ConfirmDialog } from '@/ui/ConfirmDialog'
import { MoreButton } from '@/ui/MoreButton'
import { useToast } from '@/ui/Toasts'
import { trashOptions, useDeleteForever, useEmptyTrash } from '../queries'
import { useItemActions } from '../use-item-actions'
import { RowSkeletons } from './RowSkeletons'
import { TrashTable } from './TrashTable'

export function TrashView() {
  const t = useTranslations()
  const problemText = useProblemText()
  const query = useInfiniteQuery(trashOptions)
  const actions = useItemActions()
  const [doomed, setDoomed] = useState<Item | 'all'>()
  const items = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data])

  useEffect(() => {
    document.title = `${t('trash.title')} – CloudDocs`
  }, [t])

  return (
    <>
      <header className="flex min-h-16 items-center gap-3 border-b border-line px-4 py-3 sm:px-5">
        <h1 className="grow text-lg font-semibold">{t('trash.title')}</h1>
        {items.length > 0 && <Button onClick={() => setDoomed('all')}>{t('trash.empty_action')}</Button>}
      </header>
      {items.length > 0 && <p className="border-b border-line px-4 py-3 text-sm text-soft sm:px-5">{t('trash.hint')}</p>}
      {query.isError && !query.data ? (
        <Blank alert icon={<CloudOff aria-hidden="true" size={36} />} title={t('trash.failed')} hint={problemText(Problem.from(query.error))}>
          <Button onClick={() => void query.refetch()}>{t('app.retry')}</Button>
        </Blank>
      ) : !query.data ? (
        <RowSkeletons />
      ) : items.length === 0 ? (
        <Blank icon={<Trash2 aria-hidden="true" size={36} />} title={t('trash.empty')} hint={t('trash.empty_hint')} />
      ) : (
        <TrashTable items={items} onRestore={actions.restore} onDelete={setDoomed} />
      )}
      {query.hasNextPage && <MoreButton label={t('app.more')} busy={query.isFetchingNextPage} onMore={() => void query.fetchNextPage()} />}
      <DeleteForeverDialog doomed={doomed} onClose={() => setDoomed(undefined)} />
    </>
  )
}

function DeleteForeverDialog({ doomed, onClose }: { doomed: Item | 'all' | undefined; onClose: () => void }) {
  const t = useTranslations()
  const toast = useToast()
  const problemText = useProblemText()
  const deleteForever = useDeleteForever()
  const emptyTrash = useEmptyTrash()

  async function run() {
    if (doomed === undefined) return
    try {
      if (doomed === 'all') {
        const { purged } = await emptyTrash.mutateAsync(undefined)
        toast.show({ text: t('trash.emptied', { count: purged }) })
      } else {
        await deleteForever.mutateAsync(doomed)
        toast.show({ text: t('trash.deleted', { name: doomed.filename }) })
      }
    } catch (error) {
      toast.show({ text: problemText(Problem.from(error)), tone: 'error' })
    }
    onClose()
  }

  return (
    <ConfirmDialog
      open={doomed !== undefined}
      title={doomed === undefined || doomed === 'all' ? t('trash.empty_title') : t('trash.delete_title', { name: doomed.filename })}
      description={doomed === 'all' ? t('trash.empty_text') : t('trash.delete_text')}
      confirm={t('trash.delete_forever')}
      cancel={t('app.cancel')}
      busy={deleteForever.isPending || emptyTrash.isPending}
      onConfirm={() => void run()}
      onClose={onClose}
    />
  )
}
