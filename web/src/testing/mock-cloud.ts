import type { components } from '../api/schema.gen'

export type Item = components['schemas']['Item']
type User = components['schemas']['User']
type ProblemBody = components['schemas']['Problem']

export class Refusal extends Error {
  readonly body: ProblemBody
  constructor(status: number, code: string, detail = code, extra: Partial<ProblemBody> = {}) {
    super(detail)
    this.body = { type: 'about:blank', title: code, status, code, detail, request_id: 'mock-1', ...extra }
  }
}

const space = 'AAAAAAAAAAAAAAAAAAAAAA'
export const rootId = `${space}${'0'.repeat(21)}`

// A server in memory that keeps the contract's rules as far as the web app can see them. One browser, one cookie.
export class MockCloud {
  readonly accounts = new Map<string, { password: string; user: User }>()
  readonly items = new Map<string, Item>()
  readonly contents = new Map<string, Uint8Array>()
  readonly tokens = new Set<string>()
  cookie: string | undefined
  registrationOpen = true
  seq = 1
  #ids = 0
  #tokens = 0
  readonly #listeners = new Set<() => void>()

  constructor() {
    this.items.set(rootId, this.#row({ id: rootId, parent_id: null, kind: 'folder', filename: '' }))
  }

  get cursor(): string {
    return `c${this.seq}`
  }

  get space(): string {
    return space
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  addAccount(email: string, password: string): User {
    if (this.accounts.has(email)) throw new Refusal(409, 'email_taken')
    const user: User = {
      id: `u${this.accounts.size + 1}`,
      email,
      plan: 'free',
      role: 'user',
      locale: 'en',
      storage_used: 0,
      storage_limit: 2 * 1024 ** 3,
      max_file_size: 512 * 1024 ** 2,
      created_at: now(),
    }
    this.accounts.set(email, { password, user })
    return user
  }

  // A new account starts with nothing; the mock holds the tree of one account only.
  clear(): void {
    for (const id of [...this.items.keys()]) if (id !== rootId) this.items.delete(id)
    this.contents.clear()
  }

  signIn(email: string): { token: string; user: User } {
    this.cookie = email
    return { token: this.#token(), user: this.user() }
  }

  refresh(): { token: string; user: User } {
    if (this.cookie === undefined) throw new Refusal(401, 'unauthorized')
    return { token: this.#token(), user: this.user() }
  }

  user(): User {
    const account = this.accounts.get(this.cookie ?? '')
    if (!account) throw new Refusal(401, 'unauthorized')
    const used = [...this.items.values()].reduce((sum, item) => sum + item.size, 0)
    return { ...account.user, storage_used: used }
  }

  get(id: string): Item {
    const item = this.items.get(id)
    if (!item) throw new Refusal(404, 'not_found')
    return item
  }

  live(id: string): Item {
    const item = this.get(id)
    for (let at: Item | undefined = item; at; at = at.parent_id === null ? undefined : this.items.get(at.parent_id)) {
      if (at.deleted_at !== null) throw new Refusal(404, 'gone')
    }
    return item
  }

  children(parentId: string): Item[] {
    return [...this.items.values()].filter((item) => item.parent_id === parentId && item.deleted_at === null)
  }

  path(folder: Item): { id: string; filename: string }[] {
    const steps: { id: string; filename: string }[] = []
    for (let at = folder.parent_id; at !== null; ) {
      const item = this.get(at)
      steps.unshift({ id: item.id, filename: item.filename })
      at = item.parent_id
    }
    return steps
  }

  addFolder(filename: string, parentId = rootId): Item {
    this.live(parentId)
    this.#requireFree(parentId, filename)
    return this.#store({ parent_id: parentId, kind: 'folder', filename })
  }

  putFile(filename: string, content: Uint8Array | number, options: { parentId?: string; onConflict?: string; baseVersion?: number; modifiedAt?: number; mime?: string } = {}): Item {
    const parentId = options.parentId ?? rootId
    this.live(parentId)
    const size = typeof content === 'number' ? content : content.byteLength
    const fields = { size, modified_at: options.modifiedAt ?? now(), mime: options.mime ?? 'application/octet-stream' }
    const holder = this.#holder(parentId, filename)
    let item: Item
    if (holder && options.onConflict === 'version' && holder.kind === 'file') {
      if (holder.version !== options.baseVersion) throw new Refusal(412, 'stale_base', 'changed', { item: holder })
      item = this.#change(holder, { ...fields, version: holder.version + 1 })
    } else {
      const name = holder && options.onConflict === 'rename' ? this.#freeName(parentId, filename) : filename
      this.#requireFree(parentId, name)
      item = this.#store({ parent_id: parentId, kind: 'file', filename: name, version: 1, ...fields })
    }
    if (typeof content !== 'number') this.contents.set(item.id, content)
    return item
  }

  rename(id: string, baseSeq: number, filename: string): Item {
    const item = this.live(id)
    if (item.seq !== baseSeq) throw new Refusal(412, 'stale_base', 'changed', { item })
    if (filename.includes('/') || filename === '.' || filename === '..') throw new Refusal(422, 'invalid_name')
    if (filename !== item.filename) this.#requireFree(item.parent_id ?? '', filename)
    return this.#change(item, { filename })
  }

  trash(id: string, baseSeq?: number): Item {
    const item = this.live(id)
    if (baseSeq !== undefined && item.seq > baseSeq) throw new Refusal(412, 'stale_base', 'changed', { item })
    return this.#change(item, { deleted_at: now() })
  }

  restore(id: string, rename: boolean): Item {
    const item = this.get(id)
    const parentId = item.parent_id ?? ''
    this.live(parentId)
    const taken = this.#holder(parentId, item.filename)
    if (taken && !rename) throw new Refusal(409, 'name_taken', 'taken', { item: taken })
    return this.#change(item, { deleted_at: null, filename: taken ? this.#freeName(parentId, item.filename) : item.filename })
  }

  purge(id: string): void {
    this.get(id)
    for (const child of [...this.items.values()]) if (child.parent_id === id) this.purge(child.id)
    this.items.delete(id)
    this.#announce()
  }

  trashed(): Item[] {
    return [...this.items.values()].filter((item) => item.deleted_at !== null).sort((a, b) => (b.deleted_at ?? 0) - (a.deleted_at ?? 0))
  }

  #token(): string {
    const token = `token-${(this.#tokens += 1)}`
    this.tokens.add(token)
    return token
  }

  #holder(parentId: string, filename: string): Item | undefined {
    return this.children(parentId).find((item) => item.filename === filename)
  }

  #requireFree(parentId: string, filename: string): void {
    const item = this.#holder(parentId, filename)
    if (item) throw new Refusal(409, 'name_taken', 'The name is taken.', { item })
  }

  #freeName(parentId: string, filename: string): string {
    const dot = filename.lastIndexOf('.')
    const [stem, ending] = dot > 0 ? [filename.slice(0, dot), filename.slice(dot)] : [filename, '']
    for (let n = 1; ; n += 1) if (!this.#holder(parentId, `${stem} (${n})${ending}`)) return `${stem} (${n})${ending}`
  }

  #store(fields: Partial<Item>): Item {
    const id = `${space}${String((this.#ids += 1)).padStart(21, '0')}`
    const item = this.#row({ id, ...fields, seq: (this.seq += 1) })
    this.items.set(id, item)
    this.#announce()
    return item
  }

  #change(item: Item, fields: Partial<Item>): Item {
    const changed = { ...item, ...fields, seq: (this.seq += 1) }
    this.items.set(item.id, changed)
    this.#announce()
    return changed
  }

  #announce(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #row(fields: Partial<Item>): Item {
    return {
      id: '',
      parent_id: rootId,
      kind: 'file',
      filename: '',
      size: 0,
      version: 0,
      content_id: null,
      sha256: null,
      executable: false,
      modified_at: now(),
      uploaded_at: now(),
      deleted_at: null,
      seq: 1,
      tree_seq: null,
      target: null,
      purged: false,
      mime: null,
      ...fields,
    }
  }
}

function now(): number {
  return Date.now() * 1000
}
