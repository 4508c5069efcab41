export const locales = ['en', 'ru'] as const
export type Locale = (typeof locales)[number]
export const localeNames: Record<Locale, string> = { en: 'English', ru: 'Русский' }

const key = 'clouddocs.locale'

export function isLocale(value: unknown): value is Locale {
  return locales.includes(value as Locale)
}

// The choice made here before, else the first language of the browser that is spoken here, else English.
export function initialLocale(): Locale {
  const chosen = localStorage.getItem(key)
  if (isLocale(chosen)) return chosen
  return navigator.languages.map((language) => language.slice(0, 2)).find(isLocale) ?? 'en'
}

export function rememberLocale(locale: Locale): void {
  localStorage.setItem(key, locale)
}
