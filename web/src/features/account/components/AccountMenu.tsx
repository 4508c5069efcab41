import { LogOut } from 'lucide-react'
import { useTranslations } from 'use-intl'
import { Problem } from '@/api/problem'
import { session } from '@/api/session'
import { useProblemText } from '@/i18n/problem-text'
import { Menu, MenuItem, MenuLine } from '@/ui/Menu'
import { useToast } from '@/ui/Toasts'
import { AppearanceChoices } from './AppearanceChoices'

export function AccountMenu({ email }: { email: string }) {
  const t = useTranslations('account')
  const toast = useToast()
  const problemText = useProblemText()

  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={t('menu')}
          className="inline-flex size-9 items-center justify-center rounded-full bg-accent font-semibold text-on-accent uppercase hover:bg-accent-strong"
        >
          {[...email][0]}
        </button>
      }
    >
      <p className="max-w-64 truncate px-2.5 pt-1.5 pb-2 text-sm font-medium">{email}</p>
      <MenuLine />
      <AppearanceChoices />
      <MenuLine />
      <MenuItem
        icon={<LogOut aria-hidden="true" size={16} />}
        onSelect={() => void session.signOut().catch((error: unknown) => toast.show({ text: problemText(Problem.from(error)), tone: 'error' }))}
      >
        {t('sign_out')}
      </MenuItem>
    </Menu>
  )
}
