import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { Api } from './support/api.ts'
import { noise, type Item } from './support/content.ts'
import { Push, type Frame } from './support/push.ts'
import { RawSocket } from './support/raw.ts'
import { Server, sleep } from './support/server.ts'

let server: Server

beforeAll(async () => {
  server = await Server.start()
})

// What a device keeps: every row by id, at its latest state.
class Mirror {
  readonly rows = new Map<string, Item>()
  cursor = ''
  fetches = 0
  async fetch(api: Api): Promise<void> {
    ++this.fetches
    const page = await api.replay(this.cursor === '' ? undefined : this.cursor)
    for (const item of page.items) this.rows.set(item.id, item)
    this.cursor = page.cursor
  }
  async take(frame: Frame, api: Api): Promise<void> {
    if (frame.from === this.cursor && frame.changes) {
      for (const item of frame.changes) this.rows.set(item.id, item)
      this.cursor = frame.to ?? ''
    } else if (frame.to !== this.cursor) {
      await this.fetch(api)
    }
  }
  sorted(): Item[] {
    return [...this.rows.values()].sort((a, b) => a.seq - b.seq)
  }
}

async function expectEqualToListing(mirror: Mirror, api: Api): Promise<void> {
  const fresh = await api.replay()
  // A change below a folder raises its tree_seq without being a change of the folder.
  const plain = (items: Item[]) => items.filter((item) => !item.purged).map((item) => ({ ...item, tree_seq: null }))
  expect(mirror.cursor).toBe(fresh.cursor)
  expect(plain(mirror.sorted())).toEqual(plain(fresh.items))
}

describe('push', () => {
  test('hello tells the heads; the token may come in the header or in the first frame', async () => {
    const api = await Api.register(server)
    const head = (await api.replay()).cursor
    const byHeader = new Push(api)
    expect((await byHeader.next('hello')).spaces).toEqual([{ space: api.space, cursor: head }])
    const byFrame = new Push(api, '')
    await byFrame.until('open', () => byFrame.socket.readyState === byFrame.socket.OPEN)
    byFrame.send({ type: 'auth', token: api.token })
    expect((await byFrame.next('hello')).spaces).toEqual([{ space: api.space, cursor: head }])
    byHeader.close()
    byFrame.close()
  })

  test.each([['nonsense'], [{ type: 'auth', token: 'nonsense' }], [{ type: 'auth' }], [{ type: 'ping' }], ['[]'], ['{']])('a first frame %j is refused with bye and 4401', async (frame) => {
    const push = new Push(await Api.register(server), '')
    await push.until('open', () => push.socket.readyState === push.socket.OPEN)
    push.send(frame)
    await push.closed()
    expect(push.closeCode).toBe(4401)
    expect(push.frames[0]?.type).toBe('bye')
  })

  test('hints form a chain without gaps, and carry the rows when they are few', async () => {
    const api = await Api.register(server)
    const mirror = new Mirror()
    await mirror.fetch(api)
    const push = await Push.open(api)
    for (let i = 0; i < 20; ++i) await api.upload(`f${i}`, `${i}`)
    await push.until('20 files have been told of', () => push.frames.some((frame) => frame.changes?.some((item) => item.filename === 'f19')))
    let cursor = mirror.cursor
    for (const frame of push.frames) {
      expect(frame.type).toBe('changes')
      expect(frame.from).toBe(cursor)
      expect(frame.changes).toBeDefined()
      cursor = String(frame.to)
      await mirror.take(frame, api)
    }
    expect(mirror.fetches).toBe(1)
    await expectEqualToListing(mirror, api)
    push.close()
  })

  test('a hint arrives on every device of the account within 200 ms of the answer, and on no other', async () => {
    const api = await Api.register(server)
    const stranger = await Api.register(server)
    const pushes = await Promise.all([Push.open(api), Push.open(await api.login()), Push.open(await api.login())])
    const foreign = await Push.open(stranger)
    const took: number[] = []
    for (let i = 0; i < 30; ++i) {
      await api.upload(`f${i}`, `${i}`)
      const answered = performance.now()
      await Promise.all(pushes.map((push) => push.until(`f${i}`, () => push.frames.some((frame) => frame.changes?.some((item) => item.filename === `f${i}`)))))
      took.push(Math.max(0, ...pushes.map((push) => Number(push.times.at(-1)) - answered)))
    }
    took.sort((a, b) => a - b)
    console.log(`push: 30 uploads told to 3 devices, after the answer p50 ${took[15]?.toFixed(1)} ms, max ${took[29]?.toFixed(1)} ms`)
    expect(took[15]).toBeLessThan(200)
    expect(foreign.frames).toEqual([])
    for (const push of [...pushes, foreign]) push.close()
  })

  test('a device whose cursor is not "from" fetches, and reaches the tree that a fresh listing shows', async () => {
    const api = await Api.register(server)
    const folder = await api.folder('folder')
    await api.upload('a', 'a', { parent_id: folder.id })
    const mirror = new Mirror()
    await mirror.fetch(api)
    const gone = await Push.open(api)
    gone.close() // away while this happens:
    const doomed = await api.upload('doomed', 'doomed', { parent_id: folder.id })
    await api.must('DELETE', `/api/files/${doomed.id}?permanent=true`)
    const seq = (await api.metadata(folder.id)).seq
    await api.must('PATCH', `/api/files/${folder.id}`, { json: { base_seq: seq, filename: 'renamed' } })
    const push = await Push.open(api)
    await api.upload('b', 'b')
    const frame = await push.next('changes')
    expect(frame.from).not.toBe(mirror.cursor)
    await mirror.take(frame, api)
    expect(mirror.fetches).toBe(2)
    await expectEqualToListing(mirror, api)
    push.close()
  })

  test('a batch of 1,000 operations is one hint without rows', async () => {
    const api = await Api.register(server)
    const mirror = new Mirror()
    await mirror.fetch(api)
    const push = await Push.open(api)
    await api.commit(Array.from({ length: 1000 }, (_, i) => ({ op: 'mkdir', id: api.newId(), parent_id: api.root, filename: `d${i}` })))
    const frame = await push.next('changes')
    expect(frame.changes).toBeUndefined()
    expect(frame.from).toBe(mirror.cursor)
    await sleep(100)
    expect(push.frames).toEqual([])
    await mirror.take(frame, api)
    await expectEqualToListing(mirror, api)
    push.close()
  })

  test('a ping is answered, and what it reports is shown as lag', async () => {
    const api = await Api.register(server)
    const push = await Push.open(api)
    const cursor = (await api.replay()).cursor
    await api.folder('one')
    await api.folder('two')
    push.send({ type: 'ping', cursors: { [api.space]: cursor, nonsense: 'x', AAAAAAAAAAAAAAAAAAAAAA: cursor } })
    await push.next('pong')
    const status = await api.get<{ devices: { connected: boolean; lag: Record<string, number> }[] }>('/api/sync/status')
    expect(status.devices).toHaveLength(1)
    expect(status.devices[0]?.connected).toBe(true)
    expect(Object.keys(status.devices[0]?.lag ?? {})).toEqual([api.space])
    expect(status.devices[0]?.lag[api.space]).toBeGreaterThanOrEqual(2)
    push.send({ type: 'ping', cursors: { [api.space]: (await api.replay()).cursor } })
    await push.next('pong')
    expect((await api.get<{ devices: { lag: Record<string, number> }[] }>('/api/sync/status')).devices[0]?.lag[api.space]).toBe(0)
    for (const odd of ['', '7', 'null', '{"type":7}', '{"type":"unknown"}', '{"type":"ping","cursors":7}', 'x'.repeat(1000)]) push.send(odd)
    push.send({ type: 'ping' })
    await push.next('pong')
    push.close()
  })

  test('a frame over the limit ends the socket, not the server', async () => {
    const api = await Api.register(server)
    const push = await Push.open(api)
    push.send('x'.repeat(1 << 20))
    await push.closed()
    // The rest of the frame is not read; then the system may cut the connection before the close frame has been seen.
    expect([1009, 1006]).toContain(push.closeCode)
    expect((await api.call('GET', '/api/auth/me')).status).toBe(200)
  })

  test('a slow consumer costs nothing, and gets one merged hint', async () => {
    const api = await Api.register(server)
    const slow = await Api.register(server, `slow-${Date.now()}@example.org`)
    const mirror = new Mirror()
    await mirror.fetch(slow)
    const push = await Push.open(slow)
    const rss = () => readRss(server.pid)
    const name = 'n'.repeat(230)
    // 32 rows, some 30 KB, to the frame.
    const commit = (i: number) => slow.commit(Array.from({ length: 32 }, (_, k) => ({ op: 'mkdir', id: slow.newId(), parent_id: slow.root, filename: `${i}-${k}-${name}` })))
    for (let i = 0; i < 20; ++i) await commit(i)
    await mirror.fetch(slow)
    await push.until('what came before', () => push.frames.some((frame) => frame.to === mirror.cursor))
    push.frames.length = 0
    push.socket.pause()
    // First what the socket's buffers hold, then as much again.
    const rounds = 400
    for (let i = 0; i < rounds / 2; ++i) await commit(1000 + i)
    const before = rss()
    for (let i = 0; i < rounds / 2; ++i) await commit(2000 + i)
    const grown = rss() - before
    const took = performance.now()
    await api.upload('meanwhile', noise(1000))
    expect(performance.now() - took).toBeLessThan(1_000)
    push.socket.resume()
    const head = (await slow.replay()).cursor
    await push.until('the head', () => push.frames.some((frame) => frame.to === head), 20_000)
    console.log(`push: ${rounds} commits past a socket that does not read: ${push.frames.length} frames came, the server grew by ${(grown / 1024).toFixed(1)} MiB over the last ${rounds / 2}`)
    expect(grown / 1024).toBeLessThan(24)
    expect(push.frames.length).toBeLessThan(rounds)
    let cursor = mirror.cursor
    for (const frame of push.frames) {
      expect(frame.from, 'the chain has no gap').toBe(cursor)
      cursor = String(frame.to)
    }
    expect(push.frames.at(-1)?.changes).toBeUndefined()
    push.close()
  }, 120_000)

  test('before it ends, the server says bye and closes with 1001', async () => {
    const own = await Server.start()
    const api = await Api.register(own)
    const push = await Push.open(api)
    const took = own.stop()
    await push.closed()
    expect(push.closeCode).toBe(1001)
    expect(push.frames.find((frame) => frame.type === 'bye')).toMatchObject({ code: 'draining' })
    expect(await took).toBeLessThan(5_000)
  })

  test('while it drains, a running upload is finished and acknowledged', async () => {
    const own = await Server.start()
    const api = await Api.register(own)
    const content = noise(2 << 20)
    const raw = new RawSocket(own.port)
    const form = '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    const end = '\r\n--b--\r\n'
    await raw.send(`POST /api/files/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${form.length + content.length + end.length}\r\n\r\n${form}`)
    await raw.send(content.subarray(0, 1 << 20))
    await sleep(50)
    const stopped = own.stop()
    await sleep(200)
    await raw.send(content.subarray(1 << 20))
    await raw.send(end)
    expect((await raw.read())?.status).toBe(201)
    await stopped
    await own.launch()
    expect((await api.list()).items.map((item) => item.size)).toEqual([content.length])
  })
})

function readRss(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])
}
