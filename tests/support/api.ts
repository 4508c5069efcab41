import { randomBytes, randomUUID } from 'node:crypto'
import http from 'node:http'
import { checkAnswer, type Answer } from './contract.ts'
import { ChunkedContent, newId, type Item } from './content.ts'
import type { Server } from './server.ts'

export interface Problem {
  code: string
  detail: string
  status: number
  field?: string
  item?: Item
}

// An answer of the server, already held against the contract.
export class Reply implements Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer

  constructor(status: number, headers: http.IncomingHttpHeaders, body: Buffer) {
    this.status = status
    this.headers = headers
    this.body = body
  }

  json<T>(): T {
    return JSON.parse(this.body.toString()) as T
  }

  get code(): string {
    return this.status >= 400 && this.body.length > 0 ? this.json<Problem>().code : ''
  }
}

export interface Request {
  json?: unknown
  body?: Buffer | string
  headers?: http.OutgoingHttpHeaders
  token?: string | null
  agent?: http.Agent
}

export class HttpError extends Error {
  readonly reply: Reply
  constructor(what: string, reply: Reply) {
    super(`${what} -> ${reply.status} ${reply.body.toString().slice(0, 1000)}`)
    this.reply = reply
  }
}

export interface User {
  id: string
  email: string
  storage_used: number
  storage_limit: number
}

export interface SignIn {
  access_token: string
  refresh_token: string
  user: User
}

export interface Listing {
  items: Item[]
  next_cursor: string | null
  folder: Item
}

export interface Page {
  items: Item[]
  cursor: string
  at_head: boolean
}

export interface Result {
  status: number
  code?: string
  detail?: string
  item: Item | null
}

export interface Committed {
  results: Result[]
  cursor: string
  from: string
}

export const password = 'correct horse battery staple'

export function multipart(parts: { name: string; value: Buffer | string; filename?: string | Buffer }[], boundary = 'x' + randomBytes(12).toString('hex')): {
  body: Buffer
  headers: { 'content-type': string }
} {
  const pieces: Buffer[] = []
  for (const part of parts) {
    pieces.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${part.name}"`))
    if (part.filename !== undefined) {
      const text = Buffer.isBuffer(part.filename) ? part.filename : Buffer.from(part.filename.replace(/["\\]/g, '\\$&'))
      pieces.push(Buffer.from('; filename="'), text, Buffer.from('"\r\nContent-Type: application/octet-stream'))
    }
    pieces.push(Buffer.from('\r\n\r\n'), Buffer.from(part.value), Buffer.from('\r\n'))
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`))
  return { body: Buffer.concat(pieces), headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } }
}

// What one signed-in device says to the server. Every answer is validated; one that the contract does not describe throws.
export class Api {
  readonly server: Server | { url: string; port: number }
  readonly agent = new http.Agent({ keepAlive: true, maxSockets: 64 })
  token: string | undefined
  refreshToken = ''
  user: User | undefined
  space = ''
  root = ''

  constructor(server: Server | { url: string; port: number }) {
    this.server = server
  }

  static async register(server: Server | { url: string; port: number }, email = `${randomUUID()}@example.org`): Promise<Api> {
    const api = new Api(server)
    const reply = await api.must('POST', '/api/auth/register', { json: { email, password, device_name: 'test' } })
    api.adopt(reply.json<SignIn>())
    await api.readSpace()
    return api
  }

  async login(secret = password): Promise<Api> {
    const api = new Api(this.server)
    const reply = await api.must('POST', '/api/auth/login', { json: { email: this.email, password: secret, device_name: 'other' } })
    api.adopt(reply.json<SignIn>())
    await api.readSpace()
    return api
  }

  get email(): string {
    return this.user?.email ?? ''
  }

  adopt(signIn: SignIn): void {
    this.token = signIn.access_token
    this.refreshToken = signIn.refresh_token
    this.user = signIn.user
  }

  async readSpace(): Promise<void> {
    const spaces = await this.get<{ items: { space: string; root_id: string }[] }>('/api/sync/spaces')
    this.space = spaces.items[0]?.space ?? ''
    this.root = spaces.items[0]?.root_id ?? ''
  }

  call(method: string, target: string, request: Request = {}): Promise<Reply> {
    const body = request.json === undefined ? request.body : JSON.stringify(request.json)
    const headers: http.OutgoingHttpHeaders = { ...request.headers }
    const token = request.token === undefined ? this.token : request.token
    if (token) headers['authorization'] ??= `Bearer ${token}`
    if (request.json !== undefined) headers['content-type'] ??= 'application/json'
    if (body !== undefined && headers['transfer-encoding'] === undefined) headers['content-length'] ??= Buffer.byteLength(body)
    return new Promise((resolve, reject) => {
      const outgoing = http.request(
        { host: '127.0.0.1', port: this.server.port, method, path: target, headers, agent: request.agent ?? this.agent },
        (incoming) => {
          const pieces: Buffer[] = []
          incoming.on('data', (piece: Buffer) => pieces.push(piece))
          incoming.on('error', reject)
          incoming.on('end', () => {
            const reply = new Reply(incoming.statusCode ?? 0, incoming.headers, Buffer.concat(pieces))
            try {
              if (!incoming.complete) throw new Error(`${method} ${target}: the answer was cut off`)
              checkAnswer(method, target, reply)
              resolve(reply)
            } catch (error) {
              reject(error as Error)
            }
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.setTimeout(60_000, () => outgoing.destroy(new Error(`${method} ${target}: no answer in a minute`)))
      outgoing.end(body)
    })
  }

  async must(method: string, target: string, request: Request = {}): Promise<Reply> {
    const reply = await this.call(method, target, request)
    if (reply.status >= 400) throw new HttpError(`${method} ${target}`, reply)
    return reply
  }

  async get<T>(target: string): Promise<T> {
    return (await this.must('GET', target)).json<T>()
  }

  async post<T>(target: string, json: unknown): Promise<T> {
    return (await this.must('POST', target, { json })).json<T>()
  }

  uploadReply(filename: string | Buffer, content: Buffer | string, fields: Record<string, string> = {}): Promise<Reply> {
    const parts = Object.entries(fields).map(([name, value]) => ({ name, value }))
    return this.call('POST', '/api/files/upload', multipart([...parts, { name: 'file', value: Buffer.from(content), filename }]))
  }

  async upload(filename: string, content: Buffer | string, fields: Record<string, string> = {}): Promise<Item> {
    const reply = await this.uploadReply(filename, content, fields)
    if (reply.status !== 201) throw new HttpError(`upload ${filename}`, reply)
    return reply.json<Item>()
  }

  async folder(filename: string, parent?: string): Promise<Item> {
    return this.post<Item>('/api/files/folders', { filename, ...(parent ? { parent_id: parent } : {}) })
  }

  async download(id: string): Promise<Buffer> {
    return (await this.must('GET', `/api/files/${id}`)).body
  }

  list(parent?: string): Promise<Listing> {
    return this.get<Listing>(`/api/files?limit=1000${parent ? `&parent_id=${parent}` : ''}`)
  }

  metadata(id: string): Promise<Item> {
    return this.get<Item>(`/api/files/${id}/metadata`)
  }

  changes(cursor?: string, limit = 1000): Promise<Page> {
    return this.get<Page>(`/api/sync/changes?limit=${limit}${cursor ? `&cursor=${cursor}` : ''}`)
  }

  // Everything from `cursor` to the head.
  async replay(cursor?: string, limit = 1000): Promise<Page> {
    const items: Item[] = []
    for (;;) {
      const page = await this.changes(cursor, limit)
      items.push(...page.items)
      if (page.at_head) return { ...page, items }
      cursor = page.cursor
    }
  }

  async used(): Promise<number> {
    return (await this.get<User>('/api/auth/me')).storage_used
  }

  storeChunks(stream: Buffer | string, headers: http.OutgoingHttpHeaders = {}, space = this.space): Promise<Reply> {
    return this.call('POST', `/api/sync/chunks?space=${space}`, {
      body: stream,
      headers: { 'content-type': 'application/vnd.clouddocs.chunks', ...headers },
    })
  }

  commitReply(operations: unknown[], key: string = randomUUID(), space = this.space): Promise<Reply> {
    return this.call('POST', '/api/sync/commit', { json: { space, key, operations } })
  }

  async commit(operations: unknown[], key: string = randomUUID()): Promise<Committed> {
    const reply = await this.commitReply(operations, key)
    if (reply.status !== 200) throw new HttpError('commit', reply)
    return reply.json<Committed>()
  }

  newId(): string {
    return newId(this.space)
  }

  // Sends the chunks and gives the operation that puts them.
  async put(filename: string, content: Buffer | string, fields: object = {}): Promise<object> {
    const chunked = new ChunkedContent(Buffer.from(content))
    const reply = await this.storeChunks(chunked.stream())
    if (reply.status !== 200) throw new HttpError('chunks', reply)
    return { ...chunked.operation(this.newId(), this.root, filename), ...fields }
  }
}

// What must not have changed after a refused request.
export async function stateOf(api: Api): Promise<string> {
  const [page, me] = await Promise.all([api.replay(), api.get<User>('/api/auth/me')])
  return JSON.stringify({ items: page.items, cursor: page.cursor, used: me.storage_used })
}
