const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const

// "1.4 MB" in the words of the locale; steps of 1,024.
export function formatBytes(bytes: number, locale: string): string {
  let step = 0
  let value = bytes
  while (value >= 1000 && step < units.length - 1) {
    value /= 1024
    step += 1
  }
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: units[step] ?? 'byte',
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: step > 0 && value < 10 ? 1 : 0,
  }).format(value)
}
