import { useEffect, useRef } from 'react'
import { Button } from './Button'

// Loads the next page when it comes near the screen; a press does the same.
export function MoreButton({ label, busy, onMore }: { label: string; busy: boolean; onMore: () => void }) {
  const place = useRef<HTMLDivElement>(null)
  const more = useRef(onMore)
  useEffect(() => {
    more.current = onMore
  })
  useEffect(() => {
    if (typeof IntersectionObserver === 'undefined' || !place.current || busy) return
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && more.current(), { rootMargin: '600px' })
    observer.observe(place.current)
    return () => observer.disconnect()
  }, [busy])
  return (
    <div ref={place} className="flex justify-center py-4">
      <Button busy={busy} onClick={onMore}>
        {label}
      </Button>
    </div>
  )
}
