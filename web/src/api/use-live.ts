import { useSyncExternalStore } from 'react'
import { live, type LiveStatus } from './live'

export function useLiveStatus(): LiveStatus {
  return useSyncExternalStore(live.subscribe, live.status)
}
