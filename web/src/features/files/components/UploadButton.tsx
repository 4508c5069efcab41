import { Upload } from 'lucide-react'
import { useRef } from 'react'
import { useTranslations } from 'use-intl'
import { Button } from '@/ui/Button'

export function UploadButton({ onFiles, compact = false }: { onFiles: (files: File[]) => void; compact?: boolean }) {
  const t = useTranslations('files')
  const chooser = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        aria-label={t('upload')}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])])
          event.target.value = ''
        }}
      />
      <Button look="primary" aria-label={t('upload')} onClick={() => chooser.current?.click()}>
        <Upload aria-hidden="true" size={18} />
        <span className={compact ? 'hidden sm:inline' : undefined}>{t('upload')}</span>
      </Button>
    </>
  )
}
