import { Dialog } from '@base-ui/react/dialog'
import { Menu as MenuIcon } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { useTranslations } from 'use-intl'
import { AccountMenu } from '@/features/account/components/AccountMenu'
import { IconButton } from '@/ui/IconButton'
import { Logo } from '@/ui/Logo'
import { LiveState } from './LiveState'
import { Navigation } from './Navigation'

// The page around the files: navigation at the side (behind a button on a phone), account and connection on top.
export function Frame({ email, children }: { email: string; children: ReactNode }) {
  const t = useTranslations()
  const [open, setOpen] = useState(false)
  return (
    <div className="flex min-h-full flex-col">
      <a href="#content" className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-lg focus:bg-raised focus:px-4 focus:py-2 focus:shadow-pop">
        {t('app.skip')}
      </a>
      <header className="sticky top-0 z-20 flex h-14 items-center gap-2 bg-canvas px-3 sm:h-16 sm:px-5">
        <Dialog.Root open={open} onOpenChange={setOpen}>
          <Dialog.Trigger
            render={
              <IconButton label={t('nav.open')} className="md:hidden">
                <MenuIcon aria-hidden="true" size={20} />
              </IconButton>
            }
          />
          <Dialog.Portal>
            <Dialog.Backdrop className="fixed inset-0 z-40 bg-scrim transition-opacity duration-150 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0" />
            <Dialog.Popup className="fixed inset-y-0 left-0 z-50 flex w-72 flex-col bg-raised p-4 shadow-pop transition-transform duration-150 data-[ending-style]:-translate-x-full data-[starting-style]:-translate-x-full">
              <Dialog.Title className="mb-4 flex items-center gap-2.5 px-2 text-lg font-semibold">
                <Logo size={28} />
                {t('app.name')}
              </Dialog.Title>
              <Navigation onGo={() => setOpen(false)} />
            </Dialog.Popup>
          </Dialog.Portal>
        </Dialog.Root>
        <div className="flex items-center gap-2.5 text-lg font-semibold">
          <Logo size={30} />
          {t('app.name')}
        </div>
        <div className="grow" />
        <LiveState />
        <AccountMenu email={email} />
      </header>
      <div className="flex grow">
        <div className="sticky top-16 hidden h-[calc(100dvh-4rem)] w-60 shrink-0 flex-col px-3 pt-2 pb-5 md:flex">
          <Navigation />
        </div>
        <main id="content" tabIndex={-1} className="min-w-0 grow border-line bg-surface outline-none max-md:border-t md:mr-4 md:mb-4 md:rounded-2xl md:border">
          {children}
        </main>
      </div>
    </div>
  )
}
