import { Problem } from '@/api/problem'
import type { Item } from '@/api/types'
import { uploadFile, type UploadRequest } from '@/api/upload'

export type UploadState = 'waiting' | 'sending' | 'conflict' | 'done' | 'failed' | 'cancelled'
export type Decision = 'rename' | 'replace' | 'skip'

export interface Upload {
  readonly id: number
  readonly file: File
  readonly folder: { id: string; name: string }
  readonly state: UploadState
  readonly sent: number
  // In state 'conflict': the item that holds the name, and whether it changed again after the decision to replace it.
  readonly holder?: Item | undefined
  readonly changed?: boolean | undefined
  readonly problem?: Problem | undefined
  readonly stored?: Item | undefined
}

type Send = (request: UploadRequest) => Promise<Item>

const atOnce = 3
const patience = 5

// The uploads of this page, a few at a time, in the order they were added.
export class UploadList {
  #uploads: readonly Upload[] = []
  #nextId = 1
  readonly #send: Send
  readonly #running = new Map<number, AbortController>()
  readonly #conflicts = new Map<number, UploadRequest['conflict']>()
  readonly #listeners = new Set<() => void>()
  readonly #storedListeners = new Set<() => void>()

  constructor(send: Send = uploadFile) {
    this.#send = send
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly uploads = (): readonly Upload[] => this.#uploads

  onStored(listener: () => void): () => void {
    this.#storedListeners.add(listener)
    return () => this.#storedListeners.delete(listener)
  }

  add(files: readonly File[], folder: Upload['folder'], maxFileSize: number | null = null): void {
    const added = files.map((file): Upload => {
      const tooLarge = maxFileSize !== null && file.size > maxFileSize
      return {
        id: this.#nextId++,
        file,
        folder,
        state: tooLarge ? 'failed' : 'waiting',
        sent: 0,
        problem: tooLarge ? new Problem({ status: 413, code: 'file_too_large' }) : undefined,
      }
    })
    this.#set([...this.#uploads, ...added])
    this.#fill()
  }

  cancel(id: number): void {
    this.#running.get(id)?.abort()
    this.#change(id, (upload) => (isOpen(upload) ? { ...upload, state: 'cancelled' } : upload))
    this.#fill()
  }

  cancelAll(): void {
    for (const upload of this.#uploads) if (isOpen(upload)) this.cancel(upload.id)
  }

  retry(id: number): void {
    this.#change(id, (upload) => (upload.state === 'failed' || upload.state === 'cancelled' ? { ...upload, state: 'waiting', sent: 0, problem: undefined } : upload))
    this.#fill()
  }

  // Answers a conflict, or all that are open when no id is given.
  decide(decision: Decision, id?: number): void {
    for (const upload of this.#uploads) {
      if (upload.state !== 'conflict' || (id !== undefined && id !== upload.id)) continue
      const replaceable = upload.holder?.kind === 'file'
      if (decision === 'replace' && !replaceable) continue
      if (decision === 'rename') this.#conflicts.set(upload.id, { kind: 'rename' })
      if (decision === 'replace' && upload.holder) this.#conflicts.set(upload.id, { kind: 'version', baseVersion: upload.holder.version })
      this.#change(upload.id, (before) => ({ ...before, state: decision === 'skip' ? 'cancelled' : 'waiting', sent: 0 }))
    }
    this.#fill()
  }

  // Forgets what is over.
  clear(): void {
    this.#set(this.#uploads.filter(isOpen))
  }

  // Ends everything: nobody is signed in any more.
  reset(): void {
    this.cancelAll()
    this.#set([])
  }

  #fill(): void {
    for (const upload of this.#uploads) {
      if (this.#running.size >= atOnce) return
      if (upload.state === 'waiting') void this.#run(upload)
    }
  }

  async #run(upload: Upload): Promise<void> {
    const { id, file, folder } = upload
    const abort = new AbortController()
    this.#running.set(id, abort)
    this.#change(id, (before) => ({ ...before, state: 'sending' }))
    try {
      const stored = await this.#persist({
        file,
        parentId: folder.id,
        conflict: this.#conflicts.get(id) ?? { kind: 'fail' },
        signal: abort.signal,
        onProgress: (sent) => this.#change(id, (before) => ({ ...before, sent })),
      })
      this.#change(id, (before) => ({ ...before, state: 'done', sent: file.size, stored }))
      for (const listener of [...this.#storedListeners]) listener()
    } catch (error) {
      if (!abort.signal.aborted) this.#fail(id, Problem.from(error))
    } finally {
      this.#running.delete(id)
      this.#fill()
    }
  }

  // A busy server says when to come back; the upload waits in its place.
  async #persist(request: UploadRequest): Promise<Item> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#send(request)
      } catch (error) {
        const busy = error instanceof Problem && (error.status === 429 || error.status === 503)
        if (!busy || attempt === patience) throw error
        await pause(Math.min(60, error.retryAfter ?? 2) * 1000, request.signal)
      }
    }
  }

  #fail(id: number, problem: Problem): void {
    const conflict = problem.code === 'name_taken' || problem.code === 'stale_base'
    this.#conflicts.delete(id)
    this.#change(id, (before) =>
      conflict && problem.item
        ? { ...before, state: 'conflict', sent: 0, holder: problem.item, changed: problem.code === 'stale_base' }
        : { ...before, state: 'failed', problem },
    )
  }

  #change(id: number, change: (upload: Upload) => Upload): void {
    this.#set(this.#uploads.map((upload) => (upload.id === id ? change(upload) : upload)))
  }

  #set(uploads: readonly Upload[]): void {
    this.#uploads = uploads
    for (const listener of [...this.#listeners]) listener()
  }
}

// Not yet settled one way or the other.
export function isOpen(upload: Upload): boolean {
  return upload.state === 'waiting' || upload.state === 'sending' || upload.state === 'conflict'
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(new DOMException('Cancelled', 'AbortError'))
    })
  })
}

export const uploadList = new UploadList()
