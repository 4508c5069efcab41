// Server times are microseconds since the Unix epoch.
export function toDate(microseconds: number): Date {
  return new Date(microseconds / 1000)
}

// Today the time of day, this year the day, else the full date: short enough for a column.
export function formatTime(microseconds: number, locale: string, now = new Date()): string {
  const date = toDate(microseconds)
  if (date.toDateString() === now.toDateString()) return new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }).format(date)
  if (date.getFullYear() === now.getFullYear()) return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' }).format(date)
  return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' }).format(date)
}

export function formatFullTime(microseconds: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' }).format(toDate(microseconds))
}
