import { useTranslations } from 'use-intl'
import { Logo } from '@/ui/Logo'
import { Spinner } from '@/ui/Spinner'

export function Splash() {
  const t = useTranslations('app')
  return (
    <main className="flex min-h-full flex-col items-center justify-center gap-5 text-accent">
      <Logo size={56} />
      <div role="status">
        <span className="sr-only">{t('loading')}</span>
        <Spinner size={24} />
      </div>
    </main>
  )
}
