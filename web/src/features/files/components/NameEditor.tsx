import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { useTranslations } from 'use-intl'
import type { Item } from '@/api/types'
import { useProblemText } from '@/i18n/problem-text'
import { findNameFault, stemLength } from '@/lib/filename'
import { cx } from '@/lib/class-names'
import { useRename } from '../queries'

// Renames in place: Enter or leaving the field saves, Escape gives up.
export function NameEditor({ item, onClose }: { item: Item; onClose: () => void }) {
  const t = useTranslations()
  const problemText = useProblemText()
  const rename = useRename()
  const field = useRef<HTMLInputElement>(null)
  const closing = useRef(false)
  const [name, setName] = useState(item.filename)
  const fault = name === item.filename ? undefined : findNameFault(name)
  const note = fault ? t(`names.${fault}`) : rename.error ? problemText(rename.error, { name: rename.variables?.filename ?? name }) : undefined

  useEffect(() => {
    field.current?.focus()
    field.current?.setSelectionRange(0, item.kind === 'folder' ? item.filename.length : stemLength(item.filename))
    // Only when the field appears.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])

  function close() {
    closing.current = true
    onClose()
  }

  function save() {
    if (closing.current || rename.isPending || fault) return
    if (name === item.filename) return close()
    rename.mutate({ item, filename: name }, { onSuccess: close, onError: () => field.current?.focus() })
  }

  function onKeyDown(event: KeyboardEvent) {
    event.stopPropagation()
    if (event.key === 'Enter') {
      event.preventDefault()
      save()
    }
    if (event.key === 'Escape') close()
  }

  return (
    <div className="relative min-w-0 grow">
      <input
        ref={field}
        value={name}
        readOnly={rename.isPending}
        aria-label={t('files.rename_of', { name: item.filename })}
        aria-invalid={note !== undefined || undefined}
        aria-describedby={note === undefined ? undefined : `name-note-${item.id}`}
        autoComplete="off"
        spellCheck={false}
        className={cx('h-8 w-full max-w-md rounded-md border bg-surface px-2', note === undefined ? 'border-accent' : 'border-danger')}
        onChange={(event) => {
          rename.reset()
          setName(event.target.value)
        }}
        onBlur={() => (fault || rename.error ? close() : save())}
        onKeyDown={onKeyDown}
      />
      {note !== undefined && (
        <p id={`name-note-${item.id}`} role="alert" className="popup absolute top-full left-0 z-20 mt-1 max-w-md rounded-md px-3 py-2 text-sm text-danger">
          {note}
        </p>
      )}
    </div>
  )
}
