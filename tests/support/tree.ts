import { createHash } from 'node:crypto'
import { lstatSync, opendirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'

// A folder as a device has to bring it to another: type, content, executable bit, target of links, time to the microsecond. The times of folders are
// no part of it.
export interface Tree {
  entries: Map<string, string>
  files: number
  folders: number
  links: number
  bytes: number
}

export function readTree(root: string): Tree {
  const tree: Tree = { entries: new Map(), files: 0, folders: 0, links: 0, bytes: 0 }
  const walk = (folder: string, prefix: string): void => {
    const opened = opendirSync(folder)
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
      if (prefix === '' && entry.name === '.clouddocs') continue // the device's own
      const full = path.join(folder, entry.name)
      const name = prefix + entry.name
      const stat = lstatSync(full, { bigint: true })
      const time = stat.mtimeNs / 1000n
      if (stat.isDirectory()) {
        ++tree.folders
        tree.entries.set(name, 'folder')
        walk(full, `${name}/`)
      } else if (stat.isSymbolicLink()) {
        ++tree.links
        tree.entries.set(name, `link to ${readlinkSync(full)}, ${time}`)
      } else if (stat.isFile()) {
        ++tree.files
        tree.bytes += Number(stat.size)
        const hash = createHash('sha256').update(readFileSync(full)).digest('hex')
        tree.entries.set(name, `file ${hash}${stat.mode & 0o100n ? ' executable' : ''}, ${time}`)
      } else {
        tree.entries.set(name, 'something else')
      }
    }
    opened.closeSync()
  }
  walk(root, '')
  return tree
}

// The first differences, for a message; empty when equal.
export function differences(a: Tree, b: Tree, limit = 20): string[] {
  const found: string[] = []
  for (const [name, value] of a.entries) {
    if (b.entries.get(name) !== value) found.push(`${name}: ${value} <> ${b.entries.get(name) ?? 'missing'}`)
  }
  for (const [name, value] of b.entries) {
    if (!a.entries.has(name)) found.push(`${name}: missing <> ${value}`)
  }
  return found.length > limit ? [...found.slice(0, limit), `and ${found.length - limit} more`] : found
}
