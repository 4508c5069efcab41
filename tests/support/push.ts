import WebSocket from 'ws'
import { checkFrame } from './contract.ts'
import type { Item } from './content.ts'
import type { Api } from './api.ts'

export interface Frame {
  type: string
  space?: string
  from?: string
  to?: string
  changes?: Item[]
  spaces?: { space: string; cursor: string }[]
  code?: string
  detail?: string
}

// A device's push connection. Every frame is held against events.yaml.
export class Push {
  readonly socket: WebSocket
  readonly frames: Frame[] = []
  readonly times: number[] = []
  closeCode: number | undefined
  closedAt = 0
  refusedWith: number | undefined
  #failure: Error | undefined
  #wake: (() => void)[] = []

  // Without a token in the header the first frame has to bring it.
  constructor(api: Api, token: string | undefined = api.token) {
    const headers = token ? { authorization: `Bearer ${token}` } : {}
    this.socket = new WebSocket(`ws://127.0.0.1:${api.server.port}/api/sync/ws`, { headers, perMessageDeflate: false })
    this.socket.on('message', (text: Buffer) => {
      try {
        const frame = JSON.parse(text.toString()) as Frame
        checkFrame(frame as unknown as Record<string, unknown>)
        this.frames.push(frame)
        this.times.push(performance.now())
      } catch (error) {
        this.#failure = error as Error
      }
      this.#notify()
    })
    this.socket.on('open', () => this.#notify())
    this.socket.on('unexpected-response', (request, response) => {
      this.refusedWith = response.statusCode
      request.destroy()
      this.#notify()
    })
    this.socket.on('error', () => this.#notify())
    this.socket.on('close', (code) => {
      this.closeCode = code
      this.closedAt = performance.now()
      this.#notify()
    })
  }

  static async open(api: Api): Promise<Push> {
    const push = new Push(api)
    await push.next('hello')
    return push
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }

  async until(what: string, condition: () => boolean, limit = 5_000): Promise<void> {
    const deadline = Date.now() + limit
    for (;;) {
      if (this.#failure) throw this.#failure
      if (condition()) return
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`Not within ${limit} ms: ${what}; frames so far: ${JSON.stringify(this.frames).slice(0, 1000)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  // Takes the next frame of this type off the front, with those before it.
  async next(type: string, limit = 5_000): Promise<Frame> {
    await this.until(`a frame ${type}`, () => this.frames.some((frame) => frame.type === type), limit)
    const at = this.frames.findIndex((frame) => frame.type === type)
    this.times.splice(0, at + 1)
    return this.frames.splice(0, at + 1)[at] as Frame
  }

  closed(limit = 5_000): Promise<void> {
    return this.until('the socket is closed', () => this.closeCode !== undefined || this.refusedWith !== undefined, limit)
  }

  send(frame: object | string): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  close(): void {
    this.socket.terminate()
  }
}
