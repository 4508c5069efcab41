import { CloudUpload } from 'lucide-react'
import { useEffect, useState } from 'react'

interface DropZoneProps {
  label: string
  onDrop: (files: File[], skippedFolders: number) => void
}

// Takes files that are dropped anywhere on the page, and shows where they will go meanwhile.
export function DropZone({ label, onDrop }: DropZoneProps) {
  const [over, setOver] = useState(false)

  useEffect(() => {
    let depth = 0
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    const step = (by: number) => (event: DragEvent) => {
      if (!carriesFiles(event)) return
      event.preventDefault()
      depth = Math.max(0, depth + by)
      setOver(depth > 0)
    }
    const enter = step(1)
    const leave = step(-1)
    const hover = (event: DragEvent) => {
      if (carriesFiles(event)) event.preventDefault()
    }
    const drop = (event: DragEvent) => {
      if (!event.dataTransfer || !carriesFiles(event)) return
      event.preventDefault()
      depth = 0
      setOver(false)
      const { files, folders } = taken(event.dataTransfer)
      onDrop(files, folders)
    }
    addEventListener('dragenter', enter)
    addEventListener('dragleave', leave)
    addEventListener('dragover', hover)
    addEventListener('drop', drop)
    return () => {
      removeEventListener('dragenter', enter)
      removeEventListener('dragleave', leave)
      removeEventListener('dragover', hover)
      removeEventListener('drop', drop)
    }
  }, [onDrop])

  if (!over) return null
  return (
    <div className="pointer-events-none fixed inset-0 z-50 flex items-center justify-center bg-scrim p-6">
      <div className="flex max-w-full flex-col items-center gap-3 rounded-2xl border-2 border-dashed border-accent bg-raised px-10 py-8 text-lg font-semibold shadow-pop">
        <CloudUpload aria-hidden="true" size={44} className="text-accent" />
        <p className="max-w-md text-center break-words">{label}</p>
      </div>
    </div>
  )
}

function taken(transfer: DataTransfer): { files: File[]; folders: number } {
  const files: File[] = []
  let folders = 0
  for (const item of transfer.items) {
    if (item.kind !== 'file') continue
    const file = item.getAsFile()
    if (item.webkitGetAsEntry()?.isDirectory === true) folders += 1
    else if (file) files.push(file)
  }
  return { files, folders }
}
