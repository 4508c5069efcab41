export type EmailFault = 'email_missing' | 'email_invalid'
export type PasswordFault = 'password_missing' | 'password_short'

export function findEmailFault(email: string): EmailFault | undefined {
  if (email === '') return 'email_missing'
  return /^[^\s@]+@[^\s@]+$/.test(email) && email.length <= 254 ? undefined : 'email_invalid'
}

// A password that exists already may have any length; only a new one has rules.
export function findPasswordFault(password: string, isNew: boolean): PasswordFault | undefined {
  if (password === '') return 'password_missing'
  return isNew && [...password].length < 8 ? 'password_short' : undefined
}

const browsers: [string, RegExp][] = [
  ['Edge', /Edg\//],
  ['Opera', /OPR\//],
  ['Firefox', /Firefox\//],
  ['Chrome', /Chrom(e|ium)\//],
  ['Safari', /Safari\//],
]
const systems: [string, RegExp][] = [
  ['Android', /Android/],
  ['iOS', /iPhone|iPad/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS/],
  ['Linux', /Linux/],
]

// "Firefox, Linux": how this session appears in the account's list.
export function deviceName(userAgent: string): string {
  const find = (table: [string, RegExp][]) => table.find(([, pattern]) => pattern.test(userAgent))?.[0]
  return [find(browsers) ?? 'Browser', find(systems)].filter(Boolean).join(', ')
}
