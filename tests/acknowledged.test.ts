import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Api, type Committed } from './support/api.ts'
import { ChunkedContent, noise, Random, sha256, type Item } from './support/content.ts'
import { Server, sleep } from './support/server.ts'

// Acknowledged means durable: what was answered with success is there after kill -9, byte for byte.

interface Acknowledged {
  id: string
  version: number
  sha256: string
  size: number
}

const writers = 8
const kills = 8

class Writer {
  readonly api: Api
  readonly files = new Map<string, Acknowledged>()
  readonly folders = new Set<string>()
  // What was sent and not answered: it may or may not be there.
  readonly unsure = new Set<string>()
  lost = 0
  #random: Random
  #n = 0
  readonly #tag: string

  constructor(api: Api, tag: string, seed: number) {
    this.api = api
    this.#tag = tag
    this.#random = new Random(seed)
  }

  async work(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const step = this.#random.below(10)
      const name = `${this.#tag}-${this.#n++}`
      const size = step === 0 ? 3_000_000 : this.#random.below(step < 4 ? 300_000 : 5_000)
      const content = noise(size, name)
      try {
        if (step < 5) await this.upload(name, content)
        else if (step < 9) await this.commit(name, content)
        else await this.newVersion(content)
      } catch (error) {
        if (error instanceof Error && error.message.includes('->')) throw error // an answer, and not the one wanted
        ++this.lost
        await sleep(20)
      }
    }
  }

  remember(item: Item, content: Buffer): void {
    expect(item.sha256).toBe(sha256(content))
    this.files.set(item.id, { id: item.id, version: item.version, sha256: sha256(content), size: content.length })
  }

  async upload(name: string, content: Buffer): Promise<void> {
    this.remember(await this.api.upload(name, content), content)
  }

  // A batch whose answer is lost is sent again with the same key until it is answered: never twice, never lost.
  async commit(name: string, content: Buffer): Promise<void> {
    const chunked = new ChunkedContent(content, 100_000)
    const folder = this.api.newId()
    const id = this.api.newId()
    const key = randomUUID()
    const operations = [{ op: 'mkdir', id: folder, parent_id: this.api.root, filename: `d-${name}` }, chunked.operation(id, folder, name)]
    let committed: Committed | undefined
    for (let attempt = 0; !committed; ++attempt) {
      try {
        const sent = await this.api.storeChunks(chunked.stream())
        if (sent.status !== 200) throw new Error(`chunks -> ${sent.status} ${sent.body.toString()}`)
        const reply = await this.api.commitReply(operations, key)
        if (reply.status !== 200) throw new Error(`commit -> ${reply.status} ${reply.body.toString()}`)
        committed = reply.json<Committed>()
      } catch (error) {
        if ((error instanceof Error && error.message.includes('->')) || attempt > 200) throw error
        ++this.lost
        await sleep(50)
      }
    }
    expect(committed.results.map((result) => result.status)).toEqual([200, 200])
    this.folders.add(folder)
    this.remember(committed.results[1]?.item as Item, content)
  }

  async newVersion(content: Buffer): Promise<void> {
    const all = [...this.files.values()]
    const old = all[this.#random.below(all.length)]
    if (!old || this.unsure.has(old.id)) return
    this.unsure.add(old.id)
    const { filename, parent_id } = await this.api.metadata(old.id)
    const item = await this.api.upload(filename, content, { parent_id: parent_id ?? '', on_conflict: 'version', base_version: String(old.version) })
    this.unsure.delete(old.id)
    this.remember(item, content)
  }
}

test(`${writers} writers, ${kills} times kill -9: every acknowledged upload and commit is read back equal`, async () => {
  const seed = Date.now() % 1_000_000
  const random = new Random(seed)
  const server = await Server.start()
  // Four accounts of two devices each: commits of one space and of several.
  const owners = await Promise.all([1, 2, 3, 4].map(() => Api.register(server)))
  const apis = [...owners, ...(await Promise.all(owners.map((owner) => owner.login())))]
  const all = apis.map((api, i) => new Writer(api, `w${i}`, seed + i * 7919))
  let isOver = false
  const working = all.map((writer) => writer.work(() => isOver))
  const failed = Promise.all(working)
  failed.catch(() => undefined)
  for (let i = 0; i < kills; ++i) {
    await sleep(300 + random.below(2_000))
    await server.kill()
    await server.launch()
  }
  await sleep(500)
  isOver = true
  await failed
  await server.kill()
  await server.launch()

  let acknowledged = 0
  let lost = 0
  let bytes = 0
  for (const writer of all) {
    const agent = new http.Agent({ keepAlive: true })
    for (const file of writer.files.values()) {
      const target = writer.unsure.has(file.id) ? `/api/files/${file.id}/versions/${file.version}` : `/api/files/${file.id}`
      const reply = await writer.api.must('GET', target, { agent })
      expect(sha256(reply.body), `${target} of ${file.size} bytes`).toBe(file.sha256)
      ++acknowledged
      bytes += file.size
    }
    for (const folder of writer.folders) expect((await writer.api.metadata(folder)).deleted_at).toBeNull()
    lost += writer.lost
  }
  for (const owner of owners) {
    const { items } = await owner.replay()
    expect(await owner.used()).toBe(items.filter((item) => item.kind === 'file').reduce((sum, item) => sum + item.size, 0))
    // What was not acknowledged is there as a whole or not at all.
    const known = new Set(all.flatMap((writer) => [...writer.files.keys()]))
    for (const item of items.filter((other) => other.kind === 'file' && !known.has(other.id))) {
      expect(sha256(await owner.download(item.id))).toBe(item.sha256)
    }
  }
  console.log(`acknowledged: seed ${seed}, ${acknowledged} files of ${(bytes / 1e6).toFixed(0)} MB read back equal after ${kills + 1} kills; ${lost} requests lost their answer`)
  expect(acknowledged).toBeGreaterThan(50)
  expect(lost).toBeGreaterThan(0)

  await server.stop()
  const fsck = await server.command(['fsck', 'full'])
  console.log(`acknowledged: fsck: ${fsck.stdout.trim().split('\n').at(-1)}`)
  expect(fsck.code, `${fsck.stdout}${fsck.stderr}`).toBe(0)
}, 120_000)

test('fsck finds one changed byte in what is stored', async () => {
  const server = await Server.start()
  const api = await Api.register(server)
  const content = noise(2_000_000, 'damaged')
  await api.upload('damaged', content)
  await server.stop()
  expect((await server.command(['fsck', 'full'])).code).toBe(0)
  const files = readdirSync(server.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const stored = files.map((entry) => path.join(entry.parentPath, entry.name)).find((file) => statSync(file).size >= 500_000 && readFileSync(file).includes(content.subarray(1000, 2000)))
  if (stored === undefined) throw new Error('The content was not found in the data folder.')
  const bytes = readFileSync(stored)
  const at = bytes.indexOf(content.subarray(1000, 2000))
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(stored, bytes)
  const fsck = await server.command(['fsck', 'full'])
  expect(fsck.code, fsck.stdout).toBe(1)
  expect(fsck.stdout).toContain('other bytes')
})
