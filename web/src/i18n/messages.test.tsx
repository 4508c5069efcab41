import { renderHook } from '@testing-library/react'
import type { ReactNode } from 'react'
import { createTranslator, IntlProvider } from 'use-intl'
import { describe, expect, it } from 'vitest'
import { en } from './en'
import { initialLocale, rememberLocale } from './locale'
import { useProblemText } from './problem-text'
import { ru } from './ru'

type Tree = { [key: string]: string | Tree }

function flatten(tree: Tree, prefix = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) => (typeof value === 'string' ? [[prefix + key, value] as [string, string]] : flatten(value, `${prefix}${key}.`)))
}

const argumentsOf = (text: string) => [...new Set([...text.matchAll(/\{(\w+)[,}]/g)].map((match) => match[1]))].sort()

describe('messages', () => {
  it('take the same arguments in both languages', () => {
    const russian = new Map(flatten(ru))
    for (const [key, text] of flatten(en)) expect([key, argumentsOf(russian.get(key) ?? '')]).toEqual([key, argumentsOf(text)])
  })
  it('know the Russian plurals', () => {
    const t = createTranslator({ locale: 'ru', messages: ru, namespace: 'uploads' })
    expect([1, 3, 7].map((count) => t('done', { count }))).toEqual(['Загружен 1 файл', 'Загружены 3 файла', 'Загружено 7 файлов'])
  })
})

describe('initialLocale', () => {
  it('prefers the choice that was made here', () => {
    expect(initialLocale()).toBe('en')
    rememberLocale('ru')
    expect(initialLocale()).toBe('ru')
  })
})

describe('useProblemText', () => {
  const wrapper = ({ children }: { children: ReactNode }) => (
    <IntlProvider locale="en" messages={en} timeZone="UTC">
      {children}
    </IntlProvider>
  )
  const text = () => renderHook(() => useProblemText(), { wrapper }).result.current
  it('says what to do', () => {
    expect(text()({ code: 'quota_exceeded', message: 'x' })).toMatch(/storage is full/i)
    expect(text()({ code: 'token_expired', message: 'x' })).toMatch(/session has ended/i)
    expect(text()({ code: 'too_many_requests', message: 'x', retryAfter: 1 })).toMatch(/Wait 1 second,/)
    expect(text()({ code: 'name_taken', message: 'x' }, { name: 'a.txt' })).toMatch(/“a.txt” exists/)
    expect(text()({ code: 'file_too_large', message: 'x' }, { maxFileSize: 1024 ** 2 })).toMatch(/\(1 MB\)/)
    expect(text()({ code: 'internal', message: 'x', requestId: 'r7' })).toMatch(/r7/)
  })
  it('shows the detail of a code it does not know', () => {
    expect(text()({ code: 'brand_new', message: 'Because of Monday.' })).toBe('This did not work: Because of Monday.')
  })
})
