import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { whenDone } from './cleanup.ts'

const built = path.resolve(import.meta.dirname, '../../build/release/bin')
export const serverBinary = process.env['CLOUDDOCSD'] ?? path.join(built, 'clouddocsd')

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('No port'))))
    })
  })
}

// A folder that goes away when the test file ends.
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'clouddocs-test-'))
  whenDone(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

// Waits until `probe` gives something other than undefined or false.
export async function eventually<T>(what: string, limit: number, probe: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  const deadline = Date.now() + limit
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    if (Date.now() > deadline) throw new Error(`Not within ${limit} ms: ${what}`)
    await sleep(20)
  }
}

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export function run(program: string, args: string[], options: { input?: string; env?: Record<string, string>; timeout?: number } = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...options.env } })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeout ?? 60_000)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code, stdout, stderr })
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}

interface Options {
  env?: Record<string, string>
  data?: string
  // The tests come from one address; only the test of the limit wants it.
  limitRate?: boolean
}

// A clouddocsd of the test's own on a free port. Its data outlive kill() and stop().
export class Server {
  readonly port: number
  readonly url: string
  readonly data: string
  readonly #env: Record<string, string>
  #child: ChildProcess | undefined
  log = ''

  private constructor(port: number, options: Options) {
    this.port = port
    this.url = `http://127.0.0.1:${port}`
    this.data = options.data ?? path.join(temporaryFolder(), 'data')
    const unlimited: Record<string, string> = {
      CLOUDDOCS_RATE_LIMITS__ANONYMOUS_PER_MINUTE: '1000000',
      CLOUDDOCS_RATE_LIMITS__SESSION_PER_MINUTE: '1000000',
      CLOUDDOCS_RATE_LIMITS__FAILED_LOGINS: '1000000',
    }
    this.#env = { ...(options.limitRate ? {} : unlimited), ...options.env }
  }

  static async start(options: Options = {}): Promise<Server> {
    if (!existsSync(serverBinary)) throw new Error(`No server at ${serverBinary}: build it, or set CLOUDDOCSD.`)
    const server = new Server(await freePort(), options)
    whenDone(() => server.stop())
    await server.launch()
    return server
  }

  async launch(): Promise<void> {
    const args = ['serve', '--data', this.data, '--listen', `127.0.0.1:${this.port}`]
    const child = spawn(serverBinary, args, { env: { ...process.env, ...this.#env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    const keep = (text: Buffer) => (this.log = (this.log + text.toString()).slice(-50_000))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const deadline = Date.now() + 20_000
    while (Date.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`clouddocsd ended (${child.exitCode ?? child.signalCode}):\n${this.log}`)
      const ready = await fetch(`${this.url}/readyz`).catch(() => undefined)
      if (ready?.ok === true) return
      await sleep(10)
    }
    throw new Error(`clouddocsd did not become ready:\n${this.log}`)
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('The server does not run.')
    return this.#child.pid
  }

  // Power off, as far as a process can have it.
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  // Asks it to end, and says how long that took.
  async stop(): Promise<number> {
    const before = Date.now()
    await this.#end('SIGTERM')
    return Date.now() - before
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  async ended(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    await new Promise((resolve) => child.once('exit', resolve))
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
    await ended
    clearTimeout(timer)
  }

  // A subcommand beside the running server, on its data folder.
  command(args: string[], input = ''): Promise<Ended> {
    return run(serverBinary, [...args, '--data', this.data], { input, env: this.#env })
  }
}
