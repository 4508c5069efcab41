import net from 'node:net'
import { whenDone } from './cleanup.ts'

// Stands between a device and the server on the loopback interface and counts the bytes that cross the wire, HTTP headers and all.
export class CountingProxy {
  readonly port: number
  readonly url: string
  up = 0
  down = 0
  readonly #server: net.Server
  readonly #open = new Set<net.Socket>()

  private constructor(server: net.Server, port: number) {
    this.#server = server
    this.port = port
    this.url = `http://127.0.0.1:${port}`
  }

  static async start(target: number): Promise<CountingProxy> {
    const server = net.createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const proxy = new CountingProxy(server, (server.address() as net.AddressInfo).port)
    server.on('connection', (device) => {
      const upstream = net.connect({ host: '127.0.0.1', port: target, noDelay: true })
      device.setNoDelay(true)
      for (const [socket, other] of [[device, upstream], [upstream, device]] as const) {
        proxy.#open.add(socket)
        socket.on('error', () => other.destroy())
        socket.on('close', () => {
          proxy.#open.delete(socket)
          other.end()
        })
      }
      device.on('data', (bytes: Buffer) => (proxy.up += bytes.length))
      upstream.on('data', (bytes: Buffer) => (proxy.down += bytes.length))
      device.pipe(upstream)
      upstream.pipe(device)
    })
    whenDone(() => proxy.close())
    return proxy
  }

  // What crossed since the last call.
  take(): { up: number; down: number } {
    const taken = { up: this.up, down: this.down }
    this.up = 0
    this.down = 0
    return taken
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#open) socket.destroy()
  }
}
