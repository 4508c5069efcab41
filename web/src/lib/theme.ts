export const themes = ['light', 'dark', 'system'] as const
export type Theme = (typeof themes)[number]

const key = 'clouddocs.theme'

export function currentTheme(): Theme {
  const chosen = localStorage.getItem(key)
  return themes.find((theme) => theme === chosen) ?? 'system'
}

// The style sheet follows `data-theme`; without one it follows the system.
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(key, theme)
  applyTheme(theme)
}
