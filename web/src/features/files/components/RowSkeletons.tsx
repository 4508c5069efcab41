import { useTranslations } from 'use-intl'

const widths = ['w-2/5', 'w-1/3', 'w-1/2', 'w-1/4', 'w-2/5', 'w-1/3']

export function RowSkeletons() {
  const t = useTranslations('app')
  return (
    <div role="status" className="px-4 py-2">
      <span className="sr-only">{t('loading')}</span>
      {widths.map((width, index) => (
        <div key={index} aria-hidden="true" className="flex h-13 items-center gap-3 border-b border-line last:border-0">
          <div className="size-6 animate-pulse rounded-md bg-line" />
          <div className={`h-3.5 animate-pulse rounded-full bg-line ${width}`} />
        </div>
      ))}
    </div>
  )
}
