import type { KeyboardEvent } from 'react'

// Arrow keys, Home and End walk over the elements marked `data-row-name` of a table.
export function moveRowFocus(event: KeyboardEvent<HTMLElement>): void {
  if (!(event.target instanceof HTMLElement) || !event.target.hasAttribute('data-row-name')) return
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-row-name]')]
  const at = rows.indexOf(event.target)
  const targets: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }
  const next = rows[targets[event.key] ?? -1]
  if (!next) return
  event.preventDefault()
  next.focus()
}
