import { CircleAlert, Info } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from '@/lib/class-names'

// A message inside the page. Errors are announced at once.
export function Notice({ tone, children }: { tone: 'error' | 'information'; children: ReactNode }) {
  const Icon = tone === 'error' ? CircleAlert : Info
  return (
    <div
      role={tone === 'error' ? 'alert' : 'status'}
      className={cx('flex gap-2.5 rounded-lg px-3.5 py-3 text-sm', tone === 'error' ? 'bg-danger-soft text-danger' : 'bg-accent-soft text-ink')}
    >
      <Icon aria-hidden="true" size={18} className="mt-px shrink-0" />
      <div>{children}</div>
    </div>
  )
}
