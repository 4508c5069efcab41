import { useTranslations } from 'use-intl'
import { Button } from '@/ui/Button'
import type { Decision } from '../upload-list'

export function ConflictChoices({ replaceable, onDecide }: { replaceable: boolean; onDecide: (decision: Decision) => void }) {
  const t = useTranslations('uploads')
  return (
    <div className="flex flex-wrap gap-2">
      <Button small onClick={() => onDecide('rename')}>
        {t('keep_both')}
      </Button>
      {replaceable && (
        <Button small title={t('replaced_hint')} onClick={() => onDecide('replace')}>
          {t('replace')}
        </Button>
      )}
      <Button small look="quiet" onClick={() => onDecide('skip')}>
        {t('skip')}
      </Button>
    </div>
  )
}
