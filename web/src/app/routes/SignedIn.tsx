import { CloudOff } from 'lucide-react'
import { Navigate, Outlet, useLocation } from 'react-router'
import { useTranslations } from 'use-intl'
import { session } from '@/api/session'
import type { User } from '@/api/types'
import { useSession } from '@/api/use-session'
import { UploadPanel } from '@/features/uploads/components/UploadPanel'
import { Blank } from '@/ui/Blank'
import { Button } from '@/ui/Button'
import { Frame } from '../Frame'
import { Splash } from '../Splash'
import { useLiveUpdates } from '../live-updates'

// Everything that needs an account: waits for the session, sends others to sign in and brings them back afterwards.
export function SignedIn() {
  const t = useTranslations('app')
  const state = useSession()
  const location = useLocation()
  if (state.status === 'starting') return <Splash />
  if (state.status === 'unreachable') {
    return (
      <main className="flex min-h-full items-center">
        <Blank alert icon={<CloudOff aria-hidden="true" size={36} />} title={t('unreachable')} hint={t('unreachable_hint')}>
          <Button look="primary" onClick={() => void session.start()}>
            {t('retry')}
          </Button>
        </Blank>
      </main>
    )
  }
  if (state.status === 'signed_out') {
    const from = location.pathname === '/' || location.pathname === '/files' ? undefined : location.pathname + location.search
    return <Navigate to="/sign-in" replace state={{ from, expired: state.expired }} />
  }
  return <Page user={state.user} />
}

function Page({ user }: { user: User }) {
  useLiveUpdates()
  return (
    <Frame email={user.email}>
      <Outlet />
      <UploadPanel maxFileSize={user.max_file_size} />
    </Frame>
  )
}
