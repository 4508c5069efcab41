import { useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { live, type Live } from '@/api/live'
import { uploadList } from '@/features/uploads/upload-list'

const gather = 150
const pollEvery = 15_000

// Turns hints into fresh queries: sockets notify, queries fetch. Many hints in a row cause one round of fetching; while the
// socket is down, what is on the page is asked for again now and then.
export function followChanges(queries: QueryClient, source: Pick<Live, 'onHint' | 'status' | 'start' | 'stop'>): () => void {
  let pending: ReturnType<typeof setTimeout> | undefined
  const invalidate = () => {
    pending ??= setTimeout(() => {
      pending = undefined
      void queries.invalidateQueries()
    }, gather)
  }
  const ends = [source.onHint(invalidate), uploadList.onStored(invalidate)]
  const poll = setInterval(() => {
    if (source.status() !== 'live' && document.visibilityState === 'visible') invalidate()
  }, pollEvery)
  source.start()
  return () => {
    source.stop()
    clearInterval(poll)
    clearTimeout(pending)
    for (const end of ends) end()
  }
}

export function useLiveUpdates(): void {
  const queries = useQueryClient()
  useEffect(() => followChanges(queries, live), [queries])
}
