import { useCallback } from 'react'
import { useTranslations } from 'use-intl'
import { Problem } from '@/api/problem'
import type { Item } from '@/api/types'
import { useProblemText } from '@/i18n/problem-text'
import { useToast } from '@/ui/Toasts'
import { download, useRestore, useTrash } from './queries'

// What can be done with a row, with the messages that belong to it.
export function useItemActions() {
  const t = useTranslations('files')
  const toast = useToast()
  const problemText = useProblemText()
  const { mutateAsync: moveToTrash } = useTrash()
  const { mutateAsync: bringBack } = useRestore()

  const report = useCallback(
    (item: Item, error: unknown) => {
      const problem = Problem.from(error)
      const text = problem.code === 'stale_base' ? t('renamed_elsewhere', { name: item.filename }) : problemText(problem, { name: item.filename })
      toast.show({ text, tone: 'error' })
    },
    [t, toast, problemText],
  )

  const restore = useCallback(
    (item: Item) =>
      void bringBack(item).then(
        (restored) => toast.show({ text: t('restored', { name: restored.filename }) }),
        (error: unknown) => report(item, error),
      ),
    [bringBack, report, t, toast],
  )

  const trash = useCallback(
    (item: Item) =>
      void moveToTrash(item).then(
        (trashed) => toast.show({ text: t('moved_to_trash', { name: item.filename }), action: { label: t('undo'), run: () => restore(trashed) } }),
        (error: unknown) => report(item, error),
      ),
    [moveToTrash, report, restore, t, toast],
  )

  const fetch = useCallback((item: Item) => void download(item).catch((error: unknown) => report(item, error)), [report])

  return { download: fetch, trash, restore, report }
}
