import { Folder, Trash2 } from 'lucide-react'
import { NavLink } from 'react-router'
import { useTranslations } from 'use-intl'
import { StorageMeter } from '@/features/account/components/StorageMeter'
import { cx } from '@/lib/class-names'

const places = [
  { to: '/files', text: 'files', Icon: Folder },
  { to: '/trash', text: 'trash', Icon: Trash2 },
] as const

export function Navigation({ onGo }: { onGo?: () => void }) {
  const t = useTranslations('nav')
  return (
    <>
      <nav aria-label={t('main')} className="grow">
        <ul className="flex flex-col gap-1">
          {places.map(({ to, text, Icon }) => (
            <li key={to}>
              <NavLink
                to={to}
                {...(onGo && { onClick: onGo })}
                className={({ isActive }) =>
                  cx('flex h-10 items-center gap-3 rounded-lg px-3 font-medium', isActive ? 'bg-accent-soft text-accent' : 'text-soft hover:bg-hover hover:text-ink')
                }
              >
                <Icon aria-hidden="true" size={19} />
                {t(text)}
              </NavLink>
            </li>
          ))}
        </ul>
      </nav>
      <div className="px-3">
        <StorageMeter />
      </div>
    </>
  )
}
