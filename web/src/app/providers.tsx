import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode } from 'react'
import { useTranslations } from 'use-intl'
import { Problem } from '@/api/problem'
import { session } from '@/api/session'
import { uploadList } from '@/features/uploads/upload-list'
import { LocaleProvider } from '@/i18n/LocaleProvider'
import { ToastProvider } from '@/ui/Toasts'

// Trying again helps when the server was not reached or was busy, not when it said no.
function worthRetry(failures: number, error: unknown): boolean {
  const { status } = Problem.from(error)
  return failures < 2 && (status === 0 || status >= 500)
}

function makeQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { retry: worthRetry, staleTime: 10_000, networkMode: 'always' },
      mutations: { networkMode: 'always' },
    },
  })
}

export function Providers({ children }: { children: ReactNode }) {
  const [queries] = useState(makeQueries)

  // What one account has seen is not for the next one.
  useEffect(
    () =>
      session.subscribe(() => {
        if (session.state().status !== 'signed_out') return
        uploadList.reset()
        queries.clear()
      }),
    [queries],
  )

  return (
    <LocaleProvider>
      <QueryClientProvider client={queries}>
        <Toasts>{children}</Toasts>
      </QueryClientProvider>
    </LocaleProvider>
  )
}

function Toasts({ children }: { children: ReactNode }) {
  const t = useTranslations('app')
  return <ToastProvider closeLabel={t('close')}>{children}</ToastProvider>
}
