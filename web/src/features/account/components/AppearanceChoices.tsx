import { Monitor, Moon, Sun } from 'lucide-react'
import { useState } from 'react'
import { useTranslations } from 'use-intl'
import { localeNames, locales } from '@/i18n/locale'
import { useLocaleChoice } from '@/i18n/LocaleProvider'
import { chooseTheme, currentTheme, themes, type Theme } from '@/lib/theme'
import { MenuChoice, MenuLine } from '@/ui/Menu'

const icons = { light: Sun, dark: Moon, system: Monitor }

// Language and light or dark, as parts of a menu.
export function AppearanceChoices() {
  const t = useTranslations('account')
  const { locale, choose } = useLocaleChoice()
  const [theme, setTheme] = useState(currentTheme)
  const themeLabels: Record<Theme, string> = { light: t('theme_light'), dark: t('theme_dark'), system: t('theme_system') }

  return (
    <>
      <MenuChoice
        label={t('theme')}
        value={theme}
        options={themes.map((value) => {
          const Icon = icons[value]
          return { value, label: themeLabels[value], icon: <Icon aria-hidden="true" size={16} /> }
        })}
        onChange={(next) => {
          chooseTheme(next)
          setTheme(next)
        }}
      />
      <MenuLine />
      <MenuChoice label={t('language')} value={locale} options={locales.map((value) => ({ value, label: localeNames[value] }))} onChange={choose} />
    </>
  )
}
