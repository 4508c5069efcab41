import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Api, password, stateOf, type Reply } from './support/api.ts'
import { whenDone } from './support/cleanup.ts'
import { ChunkedContent, noise, sha256 } from './support/content.ts'
import { RawSocket } from './support/raw.ts'
import { eventually, run, Server, serverBinary, sleep, temporaryFolder } from './support/server.ts'

describe('an upload cut in the middle leaves nothing', () => {
  const send = async (server: Server, request: string, content: Buffer, cut: (raw: RawSocket) => void) => {
    const raw = new RawSocket(server.port)
    await raw.send(request)
    await raw.send(content)
    await sleep(50)
    cut(raw)
  }
  test('multipart and chunk streams, by a reset, by an early end and by kill -9', async () => {
    const server = await Server.start()
    const api = await Api.register(server)
    await api.upload('kept', 'kept')
    const before = await stateOf(api)
    const head = (target: string, type: string, length: string) => `POST ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.token}\r\nContent-Type: ${type}\r\n${length}\r\n\r\n`
    const form = '--b\r\nContent-Disposition: form-data; name="file"; filename="cut"\r\n\r\n'
    const chunked = new ChunkedContent(noise(6 << 20, 'cut'))
    const requests: [string, Buffer][] = [
      [head('/api/files/upload', 'multipart/form-data; boundary=b', `Content-Length: ${20 << 20}`), Buffer.concat([Buffer.from(form), noise(7 << 20, 'form')])],
      [head('/api/files/upload', 'multipart/form-data; boundary=b', 'Transfer-Encoding: chunked'), Buffer.concat([Buffer.from(`${(9 << 20).toString(16)}\r\n${form}`), noise(7 << 20, 'form2')])],
      [head(`/api/sync/chunks?space=${api.space}`, 'application/vnd.clouddocs.chunks', `Content-Length: ${chunked.stream().length}`), chunked.stream().subarray(0, -40)],
    ]
    for (const [request, content] of requests) {
      await send(server, request, content, (raw) => raw.destroy())
      await send(server, request, content, (raw) => raw.socket.end())
    }
    await sleep(200)
    expect(await stateOf(api)).toBe(before)
    const missing = await api.post<{ missing: string[] }>('/api/sync/chunks/missing', { space: api.space, chunks: chunked.names })
    expect(missing.missing).toEqual(chunked.names)
    for (const [request, content] of requests) {
      const raw = new RawSocket(server.port)
      await raw.send(request)
      await raw.send(content)
    }
    await server.kill()
    await server.launch()
    expect(await stateOf(api)).toBe(before)
    expect((await api.post<{ missing: string[] }>('/api/sync/chunks/missing', { space: api.space, chunks: chunked.names })).missing).toEqual(chunked.names)
    expect((await api.download((await api.list()).items[0]?.id ?? '')).toString()).toBe('kept')
  })
})

describe('100 requests a minute for an address without a valid token', () => {
  test('then 429 with Retry-After, while one with a token goes on', async () => {
    const server = await Server.start({ limitRate: true })
    const api = await Api.register(server)
    const replies: Reply[] = []
    for (let i = 0; i < 110; ++i) {
      replies.push(await api.call('POST', '/api/auth/login', { json: {}, token: null }))
    }
    const refused = replies.filter((reply) => reply.status === 429)
    expect(replies.length - refused.length).toBeLessThanOrEqual(100)
    expect(replies.length - refused.length).toBeGreaterThanOrEqual(95)
    for (const reply of refused) {
      expect(reply.code).toBe('too_many_requests')
      expect(Number(reply.headers['retry-after'])).toBeGreaterThanOrEqual(1)
      expect(Number(reply.headers['retry-after'])).toBeLessThanOrEqual(60)
    }
    // A made-up token buys nothing; a good one has its own budget; probes are exempt.
    expect((await api.call('GET', '/api/auth/me', { token: 'made.up.token' })).status).toBe(429)
    for (let i = 0; i < 150; ++i) expect((await api.call('GET', '/api/auth/me')).status).toBe(200)
    for (const target of ['/healthz', '/readyz', '/metrics', '/api/config']) expect((await api.call('GET', target, { token: null })).status, target).toBe(200)
  })

  test('failed logins to one account are counted as well', async () => {
    const server = await Server.start({ env: { CLOUDDOCS_RATE_LIMITS__FAILED_LOGINS: '5' } })
    const api = await Api.register(server)
    const codes: string[] = []
    for (let i = 0; i < 7; ++i) {
      codes.push((await api.call('POST', '/api/auth/login', { json: { email: api.email, password: `wrong ${i}` }, token: null })).code)
    }
    expect(codes.slice(0, 5)).toEqual(Array(5).fill('credentials_invalid'))
    expect(codes.slice(5)).toEqual(Array(2).fill('too_many_requests'))
    const right = await api.call('POST', '/api/auth/login', { json: { email: api.email, password }, token: null })
    expect(right.code).toBe('too_many_requests')
    expect(Number(right.headers['retry-after'])).toBeGreaterThan(60)
  })
})

describe('a full disk', () => {
  const folder = path.join(temporaryFolder(), 'small')
  mkdirSync(folder)
  let why = ''
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', folder], { stdio: 'pipe' })
    whenDone(() => execFileSync('umount', ['-l', folder]))
  } catch (error) {
    why = String((error as { stderr?: Buffer }).stderr ?? error).trim()
    console.log(`full disk: skipped, no small file system can be mounted here: ${why}`)
  }
  test.skipIf(why !== '')('is answered 507 storage_full, loses nothing, and is over when there is room again', async () => {
    const server = await Server.start({ data: path.join(folder, 'data') })
    const api = await Api.register(server)
    const kept: { id: string; sha256: string }[] = []
    let refused: Reply | undefined
    for (let i = 0; i < 40 && !refused; ++i) {
      const content = noise(4 << 20, `full${i}`)
      const reply = await api.uploadReply(`f${i}`, content)
      if (reply.status === 201) kept.push({ id: reply.json<{ id: string }>().id, sha256: sha256(content) })
      else refused = reply
    }
    expect([refused?.status, refused?.code], refused?.body.toString()).toEqual([507, 'storage_full'])
    expect(kept.length).toBeGreaterThan(3)
    const before = await stateOf(api)
    const chunks = await api.storeChunks(new ChunkedContent(noise(7 << 20, 'more')).stream())
    expect([chunks.status, chunks.code]).toEqual([507, 'storage_full'])
    expect(await stateOf(api)).toBe(before)
    // Until nothing at all fits: then even small changes are refused, and none is half done.
    let last: Reply | undefined
    for (let size = 2 << 20; size >= 1024; size >>= 1) {
      for (let i = 0; i < 20; ++i) {
        const content = noise(size, `rest${size}-${i}`)
        last = await api.uploadReply(`r${size}-${i}`, content)
        if (last.status !== 201) break
        kept.push({ id: last.json<{ id: string }>().id, sha256: sha256(content) })
      }
    }
    expect([last?.status, last?.code]).toEqual([507, 'storage_full'])
    for (const file of kept) expect(sha256(await api.download(file.id))).toBe(file.sha256)
    const items = (await api.list()).items
    expect(await api.used()).toBe(items.reduce((sum, item) => sum + item.size, 0))
    await server.kill()
    execFileSync('mount', ['-o', 'remount,size=96m', folder])
    await server.launch()
    for (const file of kept) expect(sha256(await api.download(file.id))).toBe(file.sha256)
    await api.upload('after', noise(4 << 20, 'after'))
    expect((await api.list()).items).toHaveLength(kept.length + 1)
  })
})

describe('start', () => {
  test('all errors of the configuration are told at once', async () => {
    const server = await Server.start()
    await server.stop()
    const ended = await run(serverBinary, ['serve', '--data', server.data, '--listen', 'nowhere'], {
      env: { CLOUDDOCS_THREADS: 'many', CLOUDDOCS_LOG_LEVEL: 'loud', CLOUDDOCS_PLANS__FREE__STORAGE: 'lots' },
    })
    expect(ended.code).toBe(2)
    for (const word of ['listen', 'threads', 'log_level', 'plans.free.storage']) expect(ended.stderr).toContain(word)
  })

  test('the data folder and its keys are for their owner only', async () => {
    const server = await Server.start()
    const walk = (folder: string): string[] => readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? walk(path.join(folder, entry.name)) : [path.join(folder, entry.name)]))
    const open = walk(server.data).filter((file) => statSync(file).mode & 0o077 && statSync(path.dirname(file)).mode & 0o077)
    expect(open).toEqual([])
  })

  test('it is ready in less than a second, and ends on SIGTERM', async () => {
    const server = await Server.start()
    expect(await server.stop()).toBeLessThan(2_000)
    const before = performance.now()
    await server.launch()
    const took = performance.now() - before
    console.log(`start: ready after ${took.toFixed(0)} ms`)
    expect(took).toBeLessThan(1_000)
    await eventually('the log says so', 1_000, () => server.log.includes('ready'))
  })
})
