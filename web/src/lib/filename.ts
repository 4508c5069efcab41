export type NameFault = 'empty' | 'dots' | 'slash' | 'control' | 'too_long'

// The server's rules for names, so that most faults show while typing. The server has the last word.
export function findNameFault(name: string): NameFault | undefined {
  if (name === '') return 'empty'
  if (name === '.' || name === '..') return 'dots'
  if (name.includes('/')) return 'slash'
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'control'
  if (new TextEncoder().encode(name.normalize('NFC')).length > 255) return 'too_long'
  return undefined
}

// Where the ending starts, so that renaming selects the name without it. Folders and dot files have none.
export function stemLength(name: string): number {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? dot : name.length
}
