import { useEffect, useSyncExternalStore } from 'react'
import { isOpen, uploadList, type Upload } from './upload-list'

export function useUploads(): readonly Upload[] {
  return useSyncExternalStore(uploadList.subscribe, uploadList.uploads)
}

// Asks before the page is left while uploads are open.
export function useLeaveWarning(): void {
  const open = useUploads().some(isOpen)
  useEffect(() => {
    if (!open) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [open])
}
