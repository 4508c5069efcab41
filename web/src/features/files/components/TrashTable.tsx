import { RotateCcw, Trash2 } from 'lucide-react'
import { useLocale, useTranslations } from 'use-intl'
import type { Item } from '@/api/types'
import { formatBytes } from '@/lib/bytes'
import { formatFullTime, formatTime } from '@/lib/time'
import { IconButton } from '@/ui/IconButton'
import { FileIcon } from './FileIcon'

interface TrashTableProps {
  items: Item[]
  onRestore: (item: Item) => void
  onDelete: (item: Item) => void
}

export function TrashTable({ items, onRestore, onDelete }: TrashTableProps) {
  const t = useTranslations()
  const locale = useLocale()
  return (
    <table aria-label={t('trash.list')} className="w-full border-collapse">
      <thead>
        <tr className="border-b border-line text-left text-sm text-soft">
          <th scope="col" className="py-2.5 pl-4 font-medium">
            {t('files.name')}
          </th>
          <th scope="col" className="hidden px-3 font-medium sm:table-cell">
            {t('trash.deleted_at')}
          </th>
          <th scope="col" className="hidden px-3 text-right font-medium md:table-cell">
            {t('files.size')}
          </th>
          <th scope="col">
            <span className="sr-only">{t('files.actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.id} className="border-b border-line last:border-0 hover:bg-hover">
            <td className="w-full max-w-0 py-2 pl-4">
              <div className="flex min-h-9 items-center gap-3">
                <FileIcon item={item} />
                <div className="min-w-0">
                  <p className="truncate font-medium" title={item.filename}>
                    {item.filename}
                  </p>
                  <p className="truncate text-sm text-soft sm:hidden">
                    {t('trash.deleted_at')}: {formatTime(item.deleted_at ?? 0, locale)}
                  </p>
                </div>
              </div>
            </td>
            <td className="hidden px-3 text-sm whitespace-nowrap text-soft sm:table-cell" title={formatFullTime(item.deleted_at ?? 0, locale)}>
              {formatTime(item.deleted_at ?? 0, locale)}
            </td>
            <td className="hidden px-3 text-right text-sm whitespace-nowrap text-soft tabular-nums md:table-cell">
              {item.kind === 'file' ? formatBytes(item.size, locale) : '—'}
            </td>
            <td className="py-1 pr-2">
              <div className="flex justify-end">
                <IconButton label={t('trash.restore_of', { name: item.filename })} onClick={() => onRestore(item)}>
                  <RotateCcw aria-hidden="true" size={18} />
                </IconButton>
                <IconButton label={t('trash.delete_forever_of', { name: item.filename })} className="hover:text-danger" onClick={() => onDelete(item)}>
                  <Trash2 aria-hidden="true" size={18} />
                </IconButton>
              </div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
