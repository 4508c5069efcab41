import net from 'node:net'
import { checkAnswer } from './contract.ts'
import { Reply } from './api.ts'

// A socket that says exactly what it is told to, byte for byte.
export class RawSocket {
  readonly socket: net.Socket
  #received = Buffer.alloc(0)
  #ended = false
  #wake: (() => void) | undefined

  constructor(port: number) {
    this.socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
    this.socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes])
      this.#wake?.()
    })
    const end = () => {
      this.#ended = true
      this.#wake?.()
    }
    this.socket.on('end', end)
    this.socket.on('close', end)
    this.socket.on('error', end)
  }

  get isEnded(): boolean {
    return this.#ended
  }

  // False once the peer no longer takes it.
  send(bytes: Buffer | string): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#ended || this.socket.destroyed) {
        resolve(false)
        return
      }
      const bytesToSend = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
      this.socket.write(bytesToSend, (error) => resolve(!error))
    })
  }

  destroy(): void {
    this.socket.resetAndDestroy()
  }

  async #more(deadline: number): Promise<boolean> {
    if (this.#ended) return false
    const left = deadline - Date.now()
    if (left <= 0) throw new Error(`Nothing more came. So far: ${this.#received.toString('latin1').slice(0, 500)}`)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
    return true
  }

  // One answer with its body; undefined when the peer closed without one.
  async read(limit = 10_000): Promise<Reply | undefined> {
    const deadline = Date.now() + limit
    let end: number
    while ((end = this.#received.indexOf('\r\n\r\n')) < 0) {
      if (!(await this.#more(deadline))) return undefined
    }
    const [statusLine = '', ...lines] = this.#received.subarray(0, end).toString('latin1').split('\r\n')
    this.#received = this.#received.subarray(end + 4)
    const headers: Record<string, string> = {}
    for (const line of lines) {
      const colon = line.indexOf(':')
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
    }
    const status = Number(statusLine.split(' ')[1])
    if (status === 100) return this.read(limit)
    const length = Number(headers['content-length'] ?? 0)
    while (this.#received.length < length && (await this.#more(deadline))) continue
    const body = this.#received.subarray(0, length)
    this.#received = this.#received.subarray(length)
    return new Reply(status, headers, Buffer.from(body))
  }

  // Resolves when the peer has closed.
  async closed(limit = 10_000): Promise<void> {
    const deadline = Date.now() + limit
    while (await this.#more(deadline)) continue
  }
}

// One request on a connection of its own. The answer is held against the contract.
export async function ask(port: number, request: Buffer | string, target = '/not-described', method = 'GET'): Promise<Reply> {
  const raw = new RawSocket(port)
  await raw.send(request)
  const reply = await raw.read()
  raw.destroy()
  if (!reply) throw new Error(`The server closed without an answer to:\n${request.toString().slice(0, 300)}`)
  checkAnswer(method, target, reply)
  return reply
}
