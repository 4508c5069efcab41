import { useQuery } from '@tanstack/react-query'
import { useLocale, useTranslations } from 'use-intl'
import { formatBytes } from '@/lib/bytes'
import { ProgressBar } from '@/ui/ProgressBar'
import { meOptions } from '../queries'

export function StorageMeter() {
  const t = useTranslations('account')
  const locale = useLocale()
  const { data: me } = useQuery(meOptions)
  if (!me) return null
  const used = formatBytes(me.storage_used, locale)
  if (me.storage_limit === null) return <p className="text-sm text-soft">{t('storage_use_unlimited', { used })}</p>
  const share = me.storage_limit === 0 ? 1 : Math.min(1, me.storage_used / me.storage_limit)
  return (
    <div>
      <p className="mb-2 text-sm font-medium">{share > 0.9 ? t('storage_full') : t('storage')}</p>
      <ProgressBar label={t('storage')} value={share} tone={share > 0.9 ? 'danger' : 'accent'} />
      <p className="mt-2 text-sm text-soft">{t('storage_use', { used, limit: formatBytes(me.storage_limit, locale) })}</p>
    </div>
  )
}
