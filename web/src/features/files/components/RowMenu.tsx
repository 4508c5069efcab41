import { Download, EllipsisVertical, Pencil, Trash2 } from 'lucide-react'
import { useTranslations } from 'use-intl'
import type { Item } from '@/api/types'
import { IconButton } from '@/ui/IconButton'
import { Menu, MenuItem, MenuLine } from '@/ui/Menu'

export interface RowActions {
  download: () => void
  rename: () => void
  trash: () => void
}

export function RowMenu({ item, actions }: { item: Item; actions: RowActions }) {
  const t = useTranslations('files')
  return (
    <Menu
      trigger={
        <IconButton label={t('actions_of', { name: item.filename })}>
          <EllipsisVertical aria-hidden="true" size={18} />
        </IconButton>
      }
    >
      {item.kind === 'file' && (
        <MenuItem icon={<Download aria-hidden="true" size={16} />} onSelect={actions.download}>
          {t('download')}
        </MenuItem>
      )}
      <MenuItem icon={<Pencil aria-hidden="true" size={16} />} onSelect={actions.rename}>
        {t('rename')}
      </MenuItem>
      <MenuLine />
      <MenuItem danger icon={<Trash2 aria-hidden="true" size={16} />} onSelect={actions.trash}>
        {t('delete')}
      </MenuItem>
    </Menu>
  )
}
