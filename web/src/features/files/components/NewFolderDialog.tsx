import { useState, type FormEvent } from 'react'
import { useTranslations } from 'use-intl'
import type { Item } from '@/api/types'
import { useProblemText } from '@/i18n/problem-text'
import { findNameFault } from '@/lib/filename'
import { Button } from '@/ui/Button'
import { Dialog } from '@/ui/Dialog'
import { TextField } from '@/ui/TextField'
import { useCreateFolder } from '../queries'

export function NewFolderDialog({ parent, open, onClose }: { parent: Item; open: boolean; onClose: () => void }) {
  const t = useTranslations()
  return (
    <Dialog open={open} title={t('files.new_folder')} onClose={onClose}>
      <NewFolderForm parent={parent} onClose={onClose} />
    </Dialog>
  )
}

// A component of its own, so that each opening starts afresh.
function NewFolderForm({ parent, onClose }: { parent: Item; onClose: () => void }) {
  const t = useTranslations()
  const problemText = useProblemText()
  const create = useCreateFolder()
  const [name, setName] = useState(t('files.new_folder_default'))
  const [tried, setTried] = useState(false)
  const fault = findNameFault(name)
  const shown = fault && (tried || fault !== 'empty') ? t(`names.${fault}`) : create.error ? problemText(create.error, { name: create.variables?.filename ?? name }) : undefined

  function submit(event: FormEvent) {
    event.preventDefault()
    setTried(true)
    if (!fault && !create.isPending) create.mutate({ parentId: parent.id, filename: name }, { onSuccess: onClose })
  }

  return (
    <form noValidate onSubmit={submit}>
      <TextField
        label={t('files.new_folder_name')}
        value={name}
        error={shown}
        autoFocus
        autoComplete="off"
        onFocus={(event) => event.target.select()}
        onChange={(event) => {
          create.reset()
          setName(event.target.value)
        }}
      />
      <div className="mt-6 flex justify-end gap-3">
        <Button onClick={onClose}>{t('app.cancel')}</Button>
        <Button type="submit" look="primary" busy={create.isPending}>
          {t('files.create')}
        </Button>
      </div>
    </form>
  )
}
