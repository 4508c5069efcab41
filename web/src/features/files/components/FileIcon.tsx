import { File, FileArchive, FileCode, FileImage, FileMusic, FileSpreadsheet, FileSymlink, FileText, FileVideoCamera, Folder } from 'lucide-react'
import type { Item } from '@/api/types'
import { fileKind, type FileKind } from '../file-kind'

const looks: Record<FileKind, { Icon: typeof File; colour: string }> = {
  folder: { Icon: Folder, colour: 'text-kind-folder' },
  image: { Icon: FileImage, colour: 'text-kind-image' },
  video: { Icon: FileVideoCamera, colour: 'text-kind-video' },
  audio: { Icon: FileMusic, colour: 'text-kind-audio' },
  document: { Icon: FileText, colour: 'text-kind-document' },
  sheet: { Icon: FileSpreadsheet, colour: 'text-kind-sheet' },
  archive: { Icon: FileArchive, colour: 'text-kind-archive' },
  code: { Icon: FileCode, colour: 'text-kind-code' },
  other: { Icon: File, colour: 'text-kind-other' },
}

export function FileIcon({ item }: { item: Item }) {
  const { Icon, colour } = item.kind === 'symlink' ? { Icon: FileSymlink, colour: 'text-kind-other' } : looks[fileKind(item)]
  return <Icon aria-hidden="true" size={22} strokeWidth={1.75} className={`shrink-0 ${colour}`} fill={item.kind === 'folder' ? 'currentColor' : 'none'} fillOpacity={0.2} />
}
