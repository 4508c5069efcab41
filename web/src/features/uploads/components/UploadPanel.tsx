import { ChevronDown, ChevronUp, X } from 'lucide-react'
import { useState } from 'react'
import { useTranslations } from 'use-intl'
import { Button } from '@/ui/Button'
import { IconButton } from '@/ui/IconButton'
import { ProgressBar } from '@/ui/ProgressBar'
import { isOpen, uploadList, type Upload, type UploadState } from '../upload-list'
import { useLeaveWarning, useUploads } from '../use-uploads'
import { ConflictChoices } from './ConflictChoices'
import { UploadRow } from './UploadRow'

// The list of this page's uploads, at the lower edge.
export function UploadPanel({ maxFileSize }: { maxFileSize: number | null }) {
  const t = useTranslations()
  const uploads = useUploads()
  const [folded, setFolded] = useState(false)
  useLeaveWarning()
  if (uploads.length === 0) return null
  const open = uploads.some(isOpen)
  const conflicts = uploads.filter((upload) => upload.state === 'conflict')

  return (
    <section
      aria-label={t('uploads.title')}
      className="fixed inset-x-0 bottom-0 z-30 flex max-h-[60vh] flex-col overflow-hidden rounded-t-2xl border border-line bg-raised shadow-pop sm:right-6 sm:bottom-6 sm:left-auto sm:w-104 sm:rounded-2xl"
    >
      <header className="flex items-center gap-1 py-2 pr-2 pl-4">
        <h2 role="status" className="grow truncate font-semibold">
          <Summary uploads={uploads} />
        </h2>
        {open && (
          <Button small look="quiet" onClick={() => uploadList.cancelAll()}>
            {t('uploads.cancel_all')}
          </Button>
        )}
        <IconButton label={folded ? t('uploads.expand') : t('uploads.collapse')} aria-expanded={!folded} onClick={() => setFolded(!folded)}>
          {folded ? <ChevronUp aria-hidden="true" size={18} /> : <ChevronDown aria-hidden="true" size={18} />}
        </IconButton>
        {!open && (
          <IconButton label={t('uploads.dismiss')} onClick={() => uploadList.clear()}>
            <X aria-hidden="true" size={18} />
          </IconButton>
        )}
      </header>
      {open && (
        <div className="px-4 pb-2">
          <ProgressBar label={t('uploads.title')} value={share(uploads)} />
        </div>
      )}
      {!folded && (
        <>
          {conflicts.length > 1 && (
            <div className="flex flex-wrap items-center gap-2 border-t border-line bg-warning-soft px-4 py-2 text-sm">
              <span className="grow">{t('uploads.for_all', { count: conflicts.length })}</span>
              <ConflictChoices replaceable={conflicts.some((upload) => upload.holder?.kind === 'file')} onDecide={(decision) => uploadList.decide(decision)} />
            </div>
          )}
          <ul className="overflow-y-auto border-t border-line">
            {uploads.map((upload) => (
              <UploadRow key={upload.id} upload={upload} maxFileSize={maxFileSize} />
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

function Summary({ uploads }: { uploads: readonly Upload[] }) {
  const t = useTranslations('uploads')
  const count = (...states: UploadState[]) => uploads.filter((upload) => states.includes(upload.state)).length
  const running = count('waiting', 'sending')
  if (running > 0) return t('running', { count: running })
  if (count('conflict') > 0) return t('attention', { count: count('conflict') })
  if (count('failed') > 0) return t('failed_count', { count: count('failed') })
  return t('done', { count: count('done') })
}

function share(uploads: readonly Upload[]): number {
  const counted = uploads.filter((upload) => upload.state !== 'cancelled' && upload.state !== 'failed')
  const total = counted.reduce((sum, upload) => sum + upload.file.size, 0)
  const sent = counted.reduce((sum, upload) => sum + upload.sent, 0)
  return total === 0 ? 0 : sent / total
}
