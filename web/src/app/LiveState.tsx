import { WifiOff } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useLiveStatus } from '@/api/use-live'

const quietFor = 4_000

// Says so when the live connection stays down; a short break is nobody's concern.
export function LiveState() {
  const t = useTranslations('live')
  const status = useLiveStatus()
  const down = status !== 'live'
  const [shown, setShown] = useState(false)

  useEffect(() => {
    if (!down) return
    const timer = setTimeout(() => setShown(true), quietFor)
    return () => {
      clearTimeout(timer)
      setShown(false)
    }
  }, [down])

  return (
    <div role="status" data-live={status}>
      {down && shown && (
        <span title={t('offline')} className="inline-flex h-8 items-center gap-2 rounded-full bg-warning-soft px-3 text-sm text-warning">
          <WifiOff aria-hidden="true" size={16} />
          {status === 'connecting' ? t('connecting') : t('offline_short')}
        </span>
      )}
    </div>
  )
}
