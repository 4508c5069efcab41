import { Download } from 'lucide-react'
import { memo, useRef, useState, type KeyboardEvent } from 'react'
import { Link } from 'react-router'
import { useLocale, useTranslations } from 'use-intl'
import type { Item } from '@/api/types'
import { formatBytes } from '@/lib/bytes'
import { formatFullTime, formatTime } from '@/lib/time'
import { IconButton } from '@/ui/IconButton'
import { FileIcon } from './FileIcon'
import { NameEditor } from './NameEditor'
import { RowMenu } from './RowMenu'

interface FileRowProps {
  item: Item
  onDownload: (item: Item) => void
  onTrash: (item: Item) => void
}

const nameLook = 'min-w-0 truncate rounded-sm text-left font-medium after:absolute after:inset-0'

// One line of the folder. The name is a link or a button that covers the whole row; F2 renames, Delete moves to the trash.
export const FileRow = memo(function FileRow({ item, onDownload, onTrash }: FileRowProps) {
  const t = useTranslations('files')
  const locale = useLocale()
  const [renaming, setRenaming] = useState(false)
  const row = useRef<HTMLTableRowElement>(null)
  const size = item.kind === 'file' ? formatBytes(item.size, locale) : '—'
  const modified = formatTime(item.modified_at, locale)

  function onKeyDown(event: KeyboardEvent) {
    if (!(event.target as HTMLElement).hasAttribute('data-row-name')) return
    if (event.key === 'F2') setRenaming(true)
    if (event.key === 'Delete') {
      const neighbour = row.current?.nextElementSibling ?? row.current?.previousElementSibling
      neighbour?.querySelector<HTMLElement>('[data-row-name]')?.focus()
      onTrash(item)
    }
  }

  function closeEditor() {
    setRenaming(false)
    requestAnimationFrame(() => row.current?.querySelector<HTMLElement>('[data-row-name]')?.focus())
  }

  return (
    <tr ref={row} onKeyDown={onKeyDown} className="group relative border-b border-line last:border-0 focus-within:bg-hover hover:bg-hover">
      <td className="w-full max-w-0 py-2 pl-3 sm:pl-4">
        <div className="flex min-h-9 items-center gap-3">
          <FileIcon item={item} />
          {renaming ? (
            <NameEditor item={item} onClose={closeEditor} />
          ) : (
            <div className="min-w-0">
              <div className="flex min-w-0">
                {item.kind === 'folder' ? (
                  <Link to={`/files/${item.id}`} data-row-name className={nameLook} title={item.filename}>
                    {item.filename}
                  </Link>
                ) : item.kind === 'file' ? (
                  <button type="button" data-row-name className={nameLook} title={t('download_of', { name: item.filename })} onClick={() => onDownload(item)}>
                    {item.filename}
                  </button>
                ) : (
                  <span tabIndex={0} data-row-name className={nameLook} title={t('kind_symlink', { target: item.target ?? '' })}>
                    {item.filename}
                  </span>
                )}
              </div>
              <p className="truncate text-sm text-soft sm:hidden">{item.kind === 'file' ? `${modified} · ${size}` : item.kind === 'folder' ? t('kind_folder') : modified}</p>
            </div>
          )}
        </div>
      </td>
      <td className="hidden px-3 text-sm whitespace-nowrap text-soft sm:table-cell">
        <time dateTime={new Date(item.modified_at / 1000).toISOString()} title={formatFullTime(item.modified_at, locale)}>
          {modified}
        </time>
      </td>
      <td className="hidden px-3 text-right text-sm whitespace-nowrap text-soft tabular-nums md:table-cell">{size}</td>
      <td className="py-1 pr-2 pl-1">
        <div className="relative flex justify-end">
          {item.kind === 'file' && (
            <IconButton
              label={t('download_of', { name: item.filename })}
              className="opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 max-sm:hidden"
              onClick={() => onDownload(item)}
            >
              <Download aria-hidden="true" size={18} />
            </IconButton>
          )}
          <RowMenu item={item} actions={{ download: () => onDownload(item), rename: () => setRenaming(true), trash: () => onTrash(item) }} />
        </div>
      </td>
    </tr>
  )
})
