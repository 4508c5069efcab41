import { describe, expect, it } from 'vitest'
import { formatBytes } from './bytes'
import { findNameFault, stemLength } from './filename'
import { applyTheme, chooseTheme, currentTheme } from './theme'
import { formatTime } from './time'

describe('formatBytes', () => {
  it('speaks the words of the locale', () => {
    expect(formatBytes(0, 'en')).toBe('0 bytes')
    expect(formatBytes(1, 'en')).toBe('1 byte')
    expect(formatBytes(1536, 'en')).toBe('1.5 kB')
    expect(formatBytes(5 * 1024 ** 3, 'ru')).toMatch(/^5\sГБ$/)
  })
  it('never shows four digits before the unit', () => {
    expect(formatBytes(1023 * 1024, 'en')).toBe('1 MB')
  })
})

describe('formatTime', () => {
  const now = new Date(2026, 5, 15, 12, 0)
  const at = (...parts: [number, number, number, number, number]) => new Date(...parts).getTime() * 1000
  it('shows the time today, the day this year, else the year too', () => {
    expect(formatTime(at(2026, 5, 15, 9, 5), 'en', now)).toMatch(/^9:05/)
    expect(formatTime(at(2026, 1, 3, 9, 5), 'en', now)).toBe('Feb 3')
    expect(formatTime(at(2024, 1, 3, 9, 5), 'en', now)).toBe('Feb 3, 2024')
  })
})

describe('findNameFault', () => {
  it.each([
    ['', 'empty'],
    ['.', 'dots'],
    ['..', 'dots'],
    ['a/b', 'slash'],
    ['a\u0000b', 'control'],
    ['ж'.repeat(128), 'too_long'],
    ['ж'.repeat(127), undefined],
    ['...', undefined],
  ])('%j: %s', (name, fault) => expect(findNameFault(name)).toBe(fault))
})

describe('stemLength', () => {
  it('leaves the ending out, but not the whole of a dot file', () => {
    expect(stemLength('report.pdf')).toBe(6)
    expect(stemLength('.profile')).toBe(8)
    expect(stemLength('README')).toBe(6)
  })
})

describe('theme', () => {
  it('follows the system until one is chosen', () => {
    expect(currentTheme()).toBe('system')
    chooseTheme('dark')
    expect(document.documentElement.dataset['theme']).toBe('dark')
    expect(currentTheme()).toBe('dark')
    applyTheme('system')
    expect(document.documentElement.dataset['theme']).toBeUndefined()
  })
})
