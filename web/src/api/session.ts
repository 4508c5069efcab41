import { Problem, problemOf } from './problem'
import type { Login, User } from './types'

export type SessionState =
  | { status: 'starting' }
  | { status: 'unreachable' }
  | { status: 'signed_out'; expired: boolean }
  | { status: 'signed_in'; user: User }

type TabMessage = 'signed_in' | 'signed_out'

const clientHeader = { 'X-Clouddocs-Client': 'web' }
const refreshBeforeExpiry = 30_000

// Who is signed in here. The access token lives in this object only; the refresh token is a cookie that scripts cannot see.
// Tabs share that cookie: they refresh one after another under a Web Lock where the browser has one, and tell each other
// about signing in and out.
export class Session {
  #state: SessionState = { status: 'starting' }
  #token: string | undefined
  #expiresAt = 0
  #refreshing: Promise<string> | undefined
  readonly #listeners = new Set<() => void>()
  readonly #tabs = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('clouddocs-session')

  constructor() {
    this.#tabs?.addEventListener('message', (event: MessageEvent<TabMessage>) => {
      if (event.data === 'signed_out' && this.#state.status === 'signed_in') this.#end(false)
      if (event.data === 'signed_in' && this.#state.status !== 'signed_in') void this.start()
    })
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly state = (): SessionState => this.#state

  // Picks up the session of the cookie, if there is one.
  async start(): Promise<void> {
    if (this.#state.status === 'unreachable') this.#set({ status: 'starting' })
    try {
      await this.refresh()
    } catch {
      // A refusal has ended the session already; anything else may pass.
      if (this.#state.status === 'starting') this.#set({ status: 'unreachable' })
    }
  }

  // A usable access token. Throws a Problem (401) when there is no session any more.
  async token(): Promise<string> {
    if (this.#token !== undefined && Date.now() < this.#expiresAt - refreshBeforeExpiry) return this.#token
    return this.refresh()
  }

  // A fresh access token; all callers share one request.
  refresh(): Promise<string> {
    this.#refreshing ??= withTabLock(() => this.#requestRefresh()).finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  // A token other than the one that was just refused.
  replace(refused: string): Promise<string> {
    return this.#token !== undefined && this.#token !== refused ? Promise.resolve(this.#token) : this.refresh()
  }

  async signIn(path: 'login' | 'register', body: { email: string; password: string; locale?: string; device_name?: string }): Promise<void> {
    const response = await send(path, body)
    this.#accept((await response.json()) as Login)
    this.#tabs?.postMessage('signed_in' satisfies TabMessage)
  }

  async signOut(): Promise<void> {
    const token = this.#token
    await send('logout', undefined, token).catch((error: unknown) => {
      if (Problem.from(error).status !== 401) throw error
    })
    this.#end(false)
    this.#tabs?.postMessage('signed_out' satisfies TabMessage)
  }

  async #requestRefresh(): Promise<string> {
    try {
      const response = await send('refresh')
      const login = (await response.json()) as Login
      this.#accept(login)
      return login.access_token
    } catch (error) {
      if (Problem.from(error).status === 401) this.#end(this.#state.status === 'signed_in')
      throw error
    }
  }

  #accept(login: Login): void {
    this.#token = login.access_token
    this.#expiresAt = Date.now() + login.expires_in * 1000
    this.#set({ status: 'signed_in', user: login.user })
  }

  #end(expired: boolean): void {
    this.#token = undefined
    this.#expiresAt = 0
    this.#set({ status: 'signed_out', expired })
  }

  #set(state: SessionState): void {
    this.#state = state
    for (const listener of [...this.#listeners]) listener()
  }
}

async function send(path: string, body?: object, token?: string): Promise<Response> {
  const headers: Record<string, string> = { ...clientHeader }
  if (body) headers['Content-Type'] = 'application/json'
  if (token !== undefined) headers['Authorization'] = `Bearer ${token}`
  let response: Response
  try {
    response = await fetch(`/api/auth/${path}`, { method: 'POST', headers, body: body ? JSON.stringify(body) : null, credentials: 'same-origin' })
  } catch (error) {
    throw Problem.network(error)
  }
  if (!response.ok) throw await problemOf(response)
  return response
}

// Web Locks exist only in secure contexts; over plain http the server's 30 s of grace for a spent token serves instead.
function withTabLock<T>(work: () => Promise<T>): Promise<T> {
  const locks = (navigator as Partial<Navigator>).locks
  return locks ? locks.request('clouddocs-refresh', work) : work()
}

export const session = new Session()
