import { queryOptions } from '@tanstack/react-query'
import { api, body } from '@/api/client'
import { problemOf } from '@/api/problem'
import type { paths } from '@/api/schema.gen'

export const accountKeys = { me: ['account', 'me'] as const, config: ['account', 'config'] as const }

export const meOptions = queryOptions({
  queryKey: accountKeys.me,
  queryFn: ({ signal }) => body(api.GET('/api/auth/me', { signal })),
})

type Config = paths['/api/config']['get']['responses']['200']['content']['application/json']

// Asked before anyone has signed in, so without a token.
export const configOptions = queryOptions({
  queryKey: accountKeys.config,
  queryFn: async ({ signal }): Promise<Config> => {
    const response = await fetch('/api/config', { signal })
    if (!response.ok) throw await problemOf(response)
    return (await response.json()) as Config
  },
  staleTime: Infinity,
})
