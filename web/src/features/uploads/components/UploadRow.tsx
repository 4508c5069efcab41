import { CircleAlert, CircleCheck, CircleSlash, Clock, RotateCcw, TriangleAlert, X } from 'lucide-react'
import { useLocale, useTranslations } from 'use-intl'
import { useProblemText } from '@/i18n/problem-text'
import { formatBytes } from '@/lib/bytes'
import { IconButton } from '@/ui/IconButton'
import { ProgressBar } from '@/ui/ProgressBar'
import { Spinner } from '@/ui/Spinner'
import { isOpen, uploadList, type Upload, type UploadState } from '../upload-list'
import { ConflictChoices } from './ConflictChoices'

function StateIcon({ state }: { state: UploadState }) {
  const look = { 'aria-hidden': true, size: 18 } as const
  if (state === 'sending') return <Spinner size={18} />
  if (state === 'waiting') return <Clock {...look} />
  if (state === 'done') return <CircleCheck {...look} className="text-success" />
  if (state === 'failed') return <CircleAlert {...look} className="text-danger" />
  if (state === 'conflict') return <TriangleAlert {...look} className="text-warning" />
  return <CircleSlash {...look} />
}

export function UploadRow({ upload, maxFileSize }: { upload: Upload; maxFileSize: number | null }) {
  const t = useTranslations('uploads')
  const { file, state } = upload
  const name = upload.stored?.filename ?? file.name
  return (
    <li className="flex gap-3 border-b border-line py-2.5 pr-2 pl-4 last:border-0">
      <div className="pt-1 text-soft">
        <StateIcon state={state} />
      </div>
      <div className="min-w-0 grow">
        <p className="truncate font-medium" title={name}>
          {name}
        </p>
        <Status upload={upload} maxFileSize={maxFileSize} />
        {state === 'sending' && (
          <div className="mt-1.5">
            <ProgressBar label={t('progress_of', { name })} value={file.size === 0 ? null : upload.sent / file.size} />
          </div>
        )}
        {state === 'conflict' && (
          <div className="mt-2">
            <ConflictChoices replaceable={upload.holder?.kind === 'file'} onDecide={(decision) => uploadList.decide(decision, upload.id)} />
          </div>
        )}
      </div>
      {(state === 'failed' || state === 'cancelled') && (
        <IconButton label={t('retry_of', { name })} onClick={() => uploadList.retry(upload.id)}>
          <RotateCcw aria-hidden="true" size={16} />
        </IconButton>
      )}
      {isOpen(upload) && (
        <IconButton label={t('cancel_of', { name })} onClick={() => uploadList.cancel(upload.id)}>
          <X aria-hidden="true" size={16} />
        </IconButton>
      )}
    </li>
  )
}

function Status({ upload, maxFileSize }: { upload: Upload; maxFileSize: number | null }) {
  const t = useTranslations('uploads')
  const locale = useLocale()
  const problemText = useProblemText()
  const { file, state, sent } = upload
  if (state === 'failed' && upload.problem) {
    return (
      <p role="alert" className="text-sm text-danger">
        {problemText(upload.problem, { name: file.name, maxFileSize })}
      </p>
    )
  }
  const texts: Record<Exclude<UploadState, 'failed'>, string> = {
    waiting: t('waiting'),
    sending: sent < file.size ? t('sent', { sent: formatBytes(sent, locale), total: formatBytes(file.size, locale) }) : t('storing'),
    conflict: upload.changed === true ? t('changed') : upload.holder?.kind === 'folder' ? t('exists_folder') : t('exists'),
    done: t('finished', { folder: upload.folder.name }),
    cancelled: t('cancelled'),
  }
  return <p className="truncate text-sm text-soft">{state === 'failed' ? '' : texts[state]}</p>
}
