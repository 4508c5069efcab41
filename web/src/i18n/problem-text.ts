import { useCallback } from 'react'
import { useLocale, useTranslations } from 'use-intl'
import { formatBytes } from '@/lib/bytes'
import type { Messages } from './en'

interface ProblemLike {
  code: string
  message: string
  retryAfter?: number | undefined
  requestId?: string | undefined
}

interface Details {
  name?: string
  maxFileSize?: number | null
}

type Known = keyof Messages['problems']

const sameText: Record<string, Known> = { token_expired: 'unauthorized', token_invalid: 'unauthorized', id_taken: 'stale_base' }

// What a failed request means, in the reader's language. A code without a text of its own shows the server's English detail.
export function useProblemText(): (problem: ProblemLike, details?: Details) => string {
  const t = useTranslations('problems')
  const locale = useLocale()
  return useCallback(
    (problem, details = {}) => {
      const code = sameText[problem.code] ?? problem.code
      if (code === 'too_many_requests') return t('too_many_requests', { seconds: problem.retryAfter ?? 60 })
      if (code === 'name_taken') return t('name_taken', { name: details.name ?? '' })
      if (code === 'internal') return t('internal', { request: problem.requestId ?? '–' })
      if (code === 'file_too_large' && typeof details.maxFileSize === 'number') {
        return t('file_too_large_of', { limit: formatBytes(details.maxFileSize, locale) })
      }
      return isPlain(t, code) ? t(code) : t('other', { detail: problem.message })
    },
    [t, locale],
  )
}

type Plain = Exclude<Known, 'too_many_requests' | 'name_taken' | 'internal' | 'file_too_large_of' | 'other'>

function isPlain(t: { has: (key: never) => boolean }, code: string): code is Plain {
  return code !== 'other' && code !== 'file_too_large_of' && /^[a-z_]+$/.test(code) && t.has(code as never)
}
