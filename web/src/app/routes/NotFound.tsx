import { SearchX } from 'lucide-react'
import { Link } from 'react-router'
import { useTranslations } from 'use-intl'
import { Blank } from '@/ui/Blank'

export function NotFound() {
  const t = useTranslations('app')
  return (
    <main className="flex min-h-full items-center">
      <Blank icon={<SearchX aria-hidden="true" size={36} />} title={t('not_found')}>
        <Link to="/files" className="font-medium text-accent hover:underline">
          {t('home')}
        </Link>
      </Blank>
    </main>
  )
}
