import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { whenDone } from './cleanup.ts'
import { password } from './api.ts'
import { run, temporaryFolder, type Ended } from './server.ts'

const built = path.resolve(import.meta.dirname, '../../build/release/bin')
export const deviceBinary = process.env['CLOUDDOCS'] ?? path.join(built, 'clouddocs')

export interface SyncReport {
  uploaded: number
  downloaded: number
  conflicts: unknown[]
  unsynced: { path: string; reason: string }[]
}

// A device of its own: state and synced folder in temporary folders, as on another machine.
export class Device {
  readonly name: string
  readonly home: string
  readonly folder: string
  #live: ChildProcess | undefined
  log = ''

  private constructor(name: string, base: string) {
    if (!existsSync(deviceBinary)) throw new Error(`No client at ${deviceBinary}: build it, or set CLOUDDOCS.`)
    this.name = name
    this.home = path.join(base, 'home')
    this.folder = path.join(base, 'folder')
    mkdirSync(this.folder, { recursive: true })
  }

  static async login(url: string, email: string, name: string): Promise<Device> {
    const device = new Device(name, path.join(temporaryFolder(), name))
    whenDone(() => device.stop())
    const ended = await device.run(['login', url, '--email', email, '--device-name', name, '--password-stdin'], `${password}\n`)
    if (ended.code !== 0) throw new Error(`login: ${ended.stdout}${ended.stderr}`)
    return device
  }

  get #env(): Record<string, string> {
    return { CLOUDDOCS_HOME: this.home }
  }

  run(args: string[], input = '', timeout = 60_000): Promise<Ended> {
    return run(deviceBinary, args, { input, env: this.#env, timeout })
  }

  // One sync to the end. Throws unless it ended with `code`.
  async syncOnce(code = 0, timeout = 170_000): Promise<Ended> {
    const ended = await this.run(['sync', this.folder, '--once'], '', timeout)
    if (ended.code !== code) throw new Error(`${this.name}: sync --once ended with ${ended.code}, not ${code}:\n${ended.stdout.slice(-2000)}${ended.stderr.slice(-2000)}`)
    return ended
  }

  // Keeps syncing until stop() or kill().
  start(): void {
    const child = spawn(deviceBinary, ['sync', this.folder], { env: { ...process.env, ...this.#env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const keep = (text: Buffer) => (this.log = (this.log + text.toString()).slice(-50_000))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    this.#live = child
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#live
    this.#live = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(timer)
  }
}
