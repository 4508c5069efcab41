import type { ReactNode } from 'react'

interface BlankProps {
  icon: ReactNode
  title: string
  hint?: string | undefined
  children?: ReactNode
  alert?: boolean
}

// Fills a place that has nothing to show: empty, failed or missing.
export function Blank({ icon, title, hint, children, alert = false }: BlankProps) {
  return (
    <div role={alert ? 'alert' : undefined} className="mx-auto flex max-w-md flex-col items-center px-6 py-16 text-center">
      <div className="mb-5 flex size-20 items-center justify-center rounded-full bg-accent-soft text-accent">{icon}</div>
      <h2 className="text-lg font-semibold">{title}</h2>
      {hint !== undefined && <p className="mt-1.5 text-soft">{hint}</p>}
      {children !== undefined && <div className="mt-6 flex flex-wrap justify-center gap-3">{children}</div>}
    </div>
  )
}
