import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const built = path.resolve(import.meta.dirname, '../../build/release/bin')
const serverBinary = process.env['CLOUDDOCSD'] ?? path.join(built, 'clouddocsd')
const deviceBinary = process.env['CLOUDDOCS'] ?? path.join(built, 'clouddocs')

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('No port'))))
    })
  })
}

// A clouddocsd of this test's own, on a free port with a data folder that goes away with it.
export class Server {
  readonly url: string
  readonly #folder: string
  readonly #port: number
  #process: ChildProcess | undefined
  #log = ''

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
    this.url = `http://127.0.0.1:${port}`
  }

  static async start(): Promise<Server> {
    if (!existsSync(serverBinary)) throw new Error(`No server at ${serverBinary}: build it, or set CLOUDDOCSD.`)
    const server = new Server(await mkdtemp(path.join(tmpdir(), 'clouddocs-e2e-')), await freePort())
    await server.launch()
    return server
  }

  // Also after stop(): the data are still there.
  async launch(): Promise<void> {
    const child = spawn(serverBinary, ['serve', '--data', path.join(this.#folder, 'data'), '--listen', `127.0.0.1:${this.#port}`])
    this.#process = child
    const keep = (text: Buffer) => (this.#log = (this.#log + text.toString()).slice(-20_000))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const deadline = Date.now() + 20_000
    while (Date.now() < deadline) {
      if (child.exitCode !== null) throw new Error(`clouddocsd ended with ${child.exitCode}:\n${this.#log}`)
      const ready = await fetch(`${this.url}/readyz`).catch(() => undefined)
      if (ready?.ok === true) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`clouddocsd did not become ready:\n${this.#log}`)
  }

  async stop(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(timer)
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }

  device(name: string): Device {
    return new Device(this.url, path.join(this.#folder, name))
  }
}

// The command line client with a state folder of its own, as on another machine.
export class Device {
  readonly #url: string
  readonly #home: string

  constructor(url: string, home: string) {
    this.#url = url
    this.#home = home
  }

  login(email: string, password: string): Promise<string> {
    return this.run(['login', this.#url, '--email', email, '--password-stdin'], `${password}\n`)
  }

  put(local: string, remote: string): Promise<string> {
    return this.run(['put', local, remote])
  }

  run(args: string[], input = ''): Promise<string> {
    if (!existsSync(deviceBinary)) throw new Error(`No client at ${deviceBinary}: build it, or set CLOUDDOCS.`)
    return new Promise((resolve, reject) => {
      const child = execFile(deviceBinary, args, { env: { ...process.env, CLOUDDOCS_HOME: this.#home }, timeout: 30_000 }, (error, stdout, stderr) =>
        error ? reject(new Error(`clouddocs ${args.join(' ')}: ${error.message}\n${stdout}${stderr}`)) : resolve(stdout),
      )
      child.stdin?.end(input)
    })
  }
}
