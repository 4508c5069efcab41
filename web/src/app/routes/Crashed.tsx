import { Bomb } from 'lucide-react'
import { useTranslations } from 'use-intl'
import { Blank } from '@/ui/Blank'
import { Button } from '@/ui/Button'

export function Crashed() {
  const t = useTranslations('app')
  return (
    <main className="flex min-h-full items-center">
      <Blank alert icon={<Bomb aria-hidden="true" size={36} />} title={t('crashed')} hint={t('crashed_hint')}>
        <Button look="primary" onClick={() => location.reload()}>
          {t('reload')}
        </Button>
      </Blank>
    </main>
  )
}
