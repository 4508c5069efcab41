import { parseProblem, Problem } from './problem'
import { session } from './session'
import type { Item } from './types'

export interface UploadRequest {
  file: File
  parentId: string | undefined
  conflict: { kind: 'fail' } | { kind: 'rename' } | { kind: 'version'; baseVersion: number }
  onProgress: (sentBytes: number) => void
  signal: AbortSignal
}

// Uploads one file. XMLHttpRequest, because fetch tells nothing about the progress of a request's body.
export async function uploadFile(request: UploadRequest): Promise<Item> {
  const token = await session.token()
  try {
    return await send(request, token)
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error
    return send(request, await session.replace(token))
  }
}

function form({ file, parentId, conflict }: UploadRequest): FormData {
  const parts = new FormData()
  if (parentId !== undefined) parts.append('parent_id', parentId)
  parts.append('on_conflict', conflict.kind)
  if (conflict.kind === 'version') parts.append('base_version', String(conflict.baseVersion))
  if (file.lastModified > 0) parts.append('modified_at', String(file.lastModified * 1000))
  parts.append('file', file, file.name)
  return parts
}

function send(request: UploadRequest, token: string): Promise<Item> {
  return new Promise((resolve, reject) => {
    const { signal } = request
    const xhr = new XMLHttpRequest()
    const abort = () => xhr.abort()
    const settle = (outcome: () => void) => {
      signal.removeEventListener('abort', abort)
      outcome()
    }
    xhr.open('POST', '/api/files/upload')
    xhr.setRequestHeader('Authorization', `Bearer ${token}`)
    // The sum counts the multipart framing too.
    xhr.upload.addEventListener('progress', (event) => request.onProgress(Math.min(event.loaded, request.file.size)))
    xhr.addEventListener('load', () =>
      settle(() => {
        if (xhr.status === 201) resolve(JSON.parse(xhr.responseText) as Item)
        else reject(parseProblem(xhr.status, xhr.responseText, xhr.getResponseHeader('Retry-After')))
      }),
    )
    xhr.addEventListener('error', () => settle(() => reject(Problem.network())))
    xhr.addEventListener('abort', () => settle(() => reject(new DOMException('Cancelled', 'AbortError'))))
    if (signal.aborted) return reject(new DOMException('Cancelled', 'AbortError'))
    signal.addEventListener('abort', abort)
    xhr.send(form(request))
  })
}
