import { ArrowDown, ArrowUp } from 'lucide-react'
import { useTranslations } from 'use-intl'
import type { Item } from '@/api/types'
import { cx } from '@/lib/class-names'
import { moveRowFocus } from '@/lib/row-focus'
import type { Sort } from '../queries'
import { FileRow } from './FileRow'

interface FileTableProps {
  label: string
  items: Item[]
  sort: Sort
  onSort: (sort: Sort) => void
  onDownload: (item: Item) => void
  onTrash: (item: Item) => void
}

const columns = [
  { field: 'name', text: 'name', look: 'pl-3 sm:pl-4' },
  { field: 'modified_at', text: 'modified', look: 'hidden px-3 sm:table-cell' },
  { field: 'size', text: 'size', look: 'hidden px-3 text-right md:table-cell' },
] as const

export function FileTable({ label, items, sort, onSort, onDownload, onTrash }: FileTableProps) {
  const t = useTranslations('files')
  const descending = sort.startsWith('-')
  const sortedField = sort.replace('-', '')

  return (
    <table aria-label={label} className="w-full border-collapse" onKeyDown={moveRowFocus}>
      <thead>
        <tr className="border-b border-line text-left text-sm text-soft">
          {columns.map(({ field, text, look }) => {
            const active = field === sortedField
            const Arrow = descending ? ArrowDown : ArrowUp
            return (
              <th key={field} scope="col" aria-sort={active ? (descending ? 'descending' : 'ascending') : 'none'} className={cx('py-1 font-medium', look)}>
                <button
                  type="button"
                  title={t('sorted_by', { column: t(text) })}
                  className={cx('-mx-2 inline-flex h-8 items-center gap-1 rounded-md px-2 hover:bg-hover hover:text-ink', active && 'text-ink')}
                  onClick={() => onSort(active && !descending ? (`-${field}` as Sort) : field)}
                >
                  {t(text)}
                  {active && <Arrow aria-hidden="true" size={14} />}
                </button>
              </th>
            )
          })}
          <th scope="col" className="pr-2">
            <span className="sr-only">{t('actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <FileRow key={item.id} item={item} onDownload={onDownload} onTrash={onTrash} />
        ))}
      </tbody>
    </table>
  )
}
