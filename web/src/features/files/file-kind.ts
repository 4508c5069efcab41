import type { Item } from '@/api/types'

export type FileKind = 'folder' | 'image' | 'video' | 'audio' | 'document' | 'sheet' | 'archive' | 'code' | 'other'

const endings: [FileKind, RegExp][] = [
  ['archive', /\.(zip|tar|gz|tgz|bz2|xz|zst|7z|rar|deb|rpm|iso)$/i],
  ['sheet', /\.(csv|tsv|xlsx?|ods)$/i],
  ['code', /\.(c|cc|cpp|h|hpp|js|ts|tsx|jsx|py|rs|go|java|sh|json|ya?ml|toml|xml|html|css|sql)$/i],
  ['document', /\.(pdf|docx?|odt|rtf|txt|md|pptx?|odp|epub)$/i],
]

// What to show for an item: by its media type, else by the ending of its name.
export function fileKind(item: Pick<Item, 'kind' | 'mime' | 'filename'>): FileKind {
  if (item.kind === 'folder') return 'folder'
  const family = item.mime?.split('/')[0]
  if (family === 'image' || family === 'video' || family === 'audio') return family
  return endings.find(([, pattern]) => pattern.test(item.filename))?.[0] ?? (family === 'text' ? 'document' : 'other')
}
