import { useQuery } from '@tanstack/react-query'
import { Settings2 } from 'lucide-react'
import { useEffect } from 'react'
import { Link, Navigate, useLocation } from 'react-router'
import { useTranslations } from 'use-intl'
import { useSession } from '@/api/use-session'
import { AppearanceChoices } from '@/features/account/components/AppearanceChoices'
import { CredentialsForm } from '@/features/account/components/CredentialsForm'
import { configOptions } from '@/features/account/queries'
import { IconButton } from '@/ui/IconButton'
import { Logo } from '@/ui/Logo'
import { Menu } from '@/ui/Menu'
import { Notice } from '@/ui/Notice'
import { Splash } from '../Splash'

interface From {
  from?: string
  expired?: boolean
}

export function SignedOut({ mode }: { mode: 'login' | 'register' }) {
  const t = useTranslations('account')
  const state = useSession()
  const from = useLocation().state as From | null
  const { data: config } = useQuery(configOptions)
  const title = mode === 'register' ? t('register_title') : t('sign_in_title')
  const closed = config?.registration_open === false

  useEffect(() => {
    document.title = `${mode === 'register' ? t('register') : t('sign_in')} – CloudDocs`
  }, [mode, t])

  if (state.status === 'signed_in') return <Navigate to={from?.from ?? '/files'} replace />
  if (state.status === 'starting') return <Splash />
  return (
    <main className="relative flex min-h-full flex-col items-center justify-center px-4 py-12">
      <div className="absolute top-3 right-3">
        <Menu
          trigger={
            <IconButton label={`${t('theme')}, ${t('language')}`}>
              <Settings2 aria-hidden="true" size={20} />
            </IconButton>
          }
        >
          <AppearanceChoices />
        </Menu>
      </div>
      <div className="w-full max-w-md rounded-3xl border border-line bg-surface p-6 sm:p-10">
        <Logo size={44} />
        <h1 className="mt-5 mb-6 text-2xl font-semibold tracking-tight">{title}</h1>
        {from?.expired === true && mode === 'login' && (
          <div className="mb-4">
            <Notice tone="information">{t('session_ended')}</Notice>
          </div>
        )}
        {mode === 'register' && closed ? <Notice tone="information">{t('registration_closed')}</Notice> : <CredentialsForm key={mode} mode={mode} />}
        {(mode === 'register' || !closed) && (
          <p className="mt-6 text-center text-sm text-soft">
            {mode === 'register' ? t('have_account') : t('no_account')}{' '}
            <Link to={mode === 'register' ? '/sign-in' : '/register'} state={from} className="font-medium text-accent hover:underline">
              {mode === 'register' ? t('sign_in') : t('register')}
            </Link>
          </p>
        )}
      </div>
    </main>
  )
}
