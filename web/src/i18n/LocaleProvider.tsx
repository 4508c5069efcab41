import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import { IntlProvider } from 'use-intl'
import { en, type Messages } from './en'
import { initialLocale, rememberLocale, type Locale } from './locale'

const LocaleContext = createContext<{ locale: Locale; choose: (locale: Locale) => void }>({ locale: 'en', choose: () => undefined })

export function useLocaleChoice() {
  return useContext(LocaleContext)
}

const load: Record<Locale, () => Promise<Messages>> = {
  en: () => Promise.resolve(en),
  ru: () => import('./ru').then((module) => module.ru),
}

// Shows nothing until the texts of the chosen language are there; a change keeps the old ones that long.
export function LocaleProvider({ children }: { children: ReactNode }) {
  const [chosen, setChosen] = useState(initialLocale)
  const [shown, setShown] = useState<{ locale: Locale; messages: Messages } | undefined>(chosen === 'en' ? { locale: 'en', messages: en } : undefined)

  useEffect(() => {
    let current = true
    void load[chosen]().then(
      (messages) => current && setShown({ locale: chosen, messages }),
      () => current && setShown((before) => before ?? { locale: 'en', messages: en }),
    )
    return () => {
      current = false
    }
  }, [chosen])

  useEffect(() => {
    if (shown) document.documentElement.lang = shown.locale
  }, [shown])

  const choice = useMemo(
    () => ({
      locale: chosen,
      choose: (locale: Locale) => {
        rememberLocale(locale)
        setChosen(locale)
      },
    }),
    [chosen],
  )

  if (!shown) return null
  return (
    <LocaleContext.Provider value={choice}>
      <IntlProvider locale={shown.locale} messages={shown.messages} timeZone={Intl.DateTimeFormat().resolvedOptions().timeZone}>
        {children}
      </IntlProvider>
    </LocaleContext.Provider>
  )
}
