// Stands in for WebSocket; the test plays the server.
export class FakeSocket extends EventTarget {
  static opened: FakeSocket[] = []
  readonly url: string
  readonly sent: { type: string; token?: string }[] = []
  closed = false

  static get last(): FakeSocket {
    const socket = FakeSocket.opened.at(-1)
    if (!socket) throw new Error('No socket was opened')
    return socket
  }

  constructor(url: string) {
    super()
    this.url = url
    FakeSocket.opened.push(this)
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { type: string })
  }

  close(): void {
    this.closed = true
  }

  open(): void {
    this.dispatchEvent(new Event('open'))
  }

  receive(frame: object | string): void {
    this.dispatchEvent(new MessageEvent('message', { data: typeof frame === 'string' ? frame : JSON.stringify(frame) }))
  }

  end(code = 1006): void {
    this.dispatchEvent(Object.assign(new Event('close'), { code }))
  }
}
