import { session } from './session'

export type LiveStatus = 'connecting' | 'live' | 'offline'
export interface Hint {
  space: string
  cursor: string
}

interface Frame {
  type: string
  space?: string
  to?: string
  spaces?: { space: string; cursor: string }[]
}

const pingEvery = 25_000
const answerWithin = 10_000
const longestPause = 30_000

// The one WebSocket. It says that something changed, never what: listeners fetch. It reconnects for as long as it is started.
export class Live {
  #socket: WebSocket | undefined
  #status: LiveStatus = 'offline'
  #started = false
  #failures = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #ping: ReturnType<typeof setInterval> | undefined
  #deadline: ReturnType<typeof setTimeout> | undefined
  readonly #heads = new Map<string, string>()
  readonly #hintListeners = new Set<(hint: Hint) => void>()
  readonly #statusListeners = new Set<() => void>()

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#statusListeners.add(listener)
    return () => this.#statusListeners.delete(listener)
  }

  readonly status = (): LiveStatus => this.#status

  onHint(listener: (hint: Hint) => void): () => void {
    this.#hintListeners.add(listener)
    return () => this.#hintListeners.delete(listener)
  }

  start(): void {
    if (this.#started) return
    this.#started = true
    addEventListener('online', this.#now)
    document.addEventListener('visibilitychange', this.#now)
    void this.#connect()
  }

  stop(): void {
    this.#started = false
    removeEventListener('online', this.#now)
    document.removeEventListener('visibilitychange', this.#now)
    this.#close()
    this.#heads.clear()
    this.#failures = 0
    this.#setStatus('offline')
  }

  // The network is back or the page is looked at again: do not wait out the pause.
  readonly #now = (): void => {
    if (this.#socket || document.visibilityState === 'hidden') return
    clearTimeout(this.#retry)
    void this.#connect()
  }

  async #connect(): Promise<void> {
    clearTimeout(this.#retry)
    this.#setStatus('connecting')
    let token: string
    try {
      token = await session.token()
    } catch {
      this.#later()
      return
    }
    if (!this.#started || this.#socket) return
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/sync/ws`)
    this.#socket = socket
    this.#expectAnswer(socket)
    socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'auth', token })))
    socket.addEventListener('message', (event: MessageEvent<unknown>) => this.#receive(socket, event.data))
    socket.addEventListener('close', (event) => {
      if (this.#socket !== socket) return
      this.#close()
      if (event.code === 4401) void session.replace(token).then(this.#now, () => undefined)
      this.#later()
    })
  }

  #receive(socket: WebSocket, text: unknown): void {
    const frame = parse(text)
    if (!frame || this.#socket !== socket) return
    clearTimeout(this.#deadline)
    if (frame.type === 'hello') {
      this.#failures = 0
      this.#setStatus('live')
      this.#ping = setInterval(() => {
        socket.send(JSON.stringify({ type: 'ping' }))
        this.#expectAnswer(socket)
      }, pingEvery)
      for (const head of frame.spaces ?? []) this.#moved(head)
    }
    if (frame.type === 'changes' && frame.space !== undefined && frame.to !== undefined) this.#moved({ space: frame.space, cursor: frame.to })
  }

  #moved(hint: Hint): void {
    if (this.#heads.get(hint.space) === hint.cursor) return
    this.#heads.set(hint.space, hint.cursor)
    for (const listener of [...this.#hintListeners]) listener(hint)
  }

  // A dead connection does not say so: when nothing comes in time, it is given up.
  #expectAnswer(socket: WebSocket): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => {
      if (this.#socket !== socket) return
      this.#close()
      this.#later()
    }, answerWithin)
  }

  #close(): void {
    clearTimeout(this.#retry)
    clearTimeout(this.#deadline)
    clearInterval(this.#ping)
    const socket = this.#socket
    this.#socket = undefined
    socket?.close()
  }

  #later(): void {
    if (!this.#started || session.state().status === 'signed_out') return
    this.#setStatus(this.#failures > 0 ? 'offline' : 'connecting')
    const pause = Math.min(longestPause, 500 * 2 ** this.#failures)
    this.#failures += 1
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => void this.#connect(), pause * (0.5 + Math.random() / 2))
  }

  #setStatus(status: LiveStatus): void {
    // While attempts keep failing the state stays offline, so that it does not flicker.
    if (status === this.#status || (status === 'connecting' && this.#failures > 1)) return
    this.#status = status
    for (const listener of [...this.#statusListeners]) listener()
  }
}

function parse(text: unknown): Frame | undefined {
  try {
    const frame: unknown = JSON.parse(String(text))
    return frame !== null && typeof frame === 'object' && 'type' in frame ? (frame as Frame) : undefined
  } catch {
    return undefined
  }
}

export const live = new Live()
