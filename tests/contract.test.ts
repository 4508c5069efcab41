import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { Api, password, type SignIn } from './support/api.ts'
import { ChunkedContent, noise, readChunkStream, sha256, type Item } from './support/content.ts'
import { routes, seen } from './support/contract.ts'
import { Push } from './support/push.ts'
import { Server } from './support/server.ts'

// Every answer is validated against api/openapi.yaml inside Api; here every operation of it is used.

let server: Server
let api: Api

beforeAll(async () => {
  server = await Server.start()
  api = await Api.register(server)
})

function fill(template: string): string {
  return template.replace('{id}', api.root).replace('{version}', '1').replace('{session_id}', 'AAAAAAAAAAAAAAAAAAAAAA')
}

describe('every path of openapi.yaml is answered', () => {
  test.each(routes.map((route) => [route.method, route.template, route.operation] as const))('%s %s', async (method, template, operation) => {
    const anonymous = new Api(server)
    const reply = await anonymous.call(method, fill(template))
    expect([405, 501]).not.toContain(reply.status)
    const needsToken = operation.security === undefined
    if (needsToken) expect(reply.status).toBe(401)
    else expect(reply.status).not.toBe(404)
  })

  test('each path allows the methods it has in the contract, and no others', async () => {
    for (const template of new Set(routes.map((route) => route.template))) {
      const documented = routes.filter((route) => route.template === template).map((route) => route.method)
      const wanted = new Set([...documented, 'OPTIONS', ...(documented.includes('GET') ? ['HEAD'] : [])])
      const reply = await api.call('OPTIONS', fill(template)).catch(() => undefined)
      // 204 for OPTIONS is not in the contract, and need not be: only the header counts here.
      const allowed = new Set(String(reply?.headers['allow']).split(', '))
      expect([...allowed].sort(), template).toEqual([...wanted].sort())
    }
  })

  test('what is not in the contract is a problem, too', async () => {
    expect((await api.call('GET', '/api/nothing')).code).toBe('not_found')
    expect((await api.call('DELETE', '/api/sync/status')).code).toBe('method_not_allowed')
    expect((await api.call('POST', '/healthz')).code).toBe('method_not_allowed')
  })
})

describe('accounts and sessions', () => {
  test('register, login, me, sessions, refresh, password, logout', async () => {
    const first = await Api.register(server)
    const second = await first.login()
    const me = await second.get<{ email: string; storage_used: number }>('/api/auth/me')
    expect(me).toMatchObject({ email: first.email, storage_used: 0, plan: 'free' })

    const sessions = await first.get<{ items: { id: string; current: boolean; device_name: string }[] }>('/api/auth/sessions')
    expect(sessions.items.map((session) => session.device_name).sort()).toEqual(['other', 'test'])
    expect(sessions.items.filter((session) => session.current)).toHaveLength(1)

    const refreshed = await first.post<SignIn>('/api/auth/refresh', { refresh_token: first.refreshToken })
    expect(refreshed.refresh_token).not.toBe(first.refreshToken)
    first.adopt(refreshed)

    const third = await first.login()
    const thirdId = (await third.get<{ items: { id: string; current: boolean }[] }>('/api/auth/sessions')).items.find((session) => session.current)?.id
    await first.must('DELETE', `/api/auth/sessions/${thirdId}`)
    expect((await third.call('GET', '/api/auth/me')).code).toBe('token_invalid')

    first.adopt(await first.post<SignIn>('/api/auth/password', { current_password: password, new_password: `${password} 2` }))
    expect((await second.call('GET', '/api/auth/me')).code).toBe('token_invalid')
    const fourth = await first.login(`${password} 2`)
    await first.must('DELETE', '/api/auth/sessions')
    expect((await fourth.call('GET', '/api/auth/me')).status).toBe(401)
    await first.must('POST', '/api/auth/logout')
    expect((await first.call('GET', '/api/auth/me')).status).toBe(401)
  })

  test('browsers get the refresh token as a cookie that no script can read', async () => {
    const headers = { 'x-clouddocs-client': 'web' }
    const reply = await api.must('POST', '/api/auth/login', { json: { email: api.email, password }, headers, token: null })
    expect(reply.json<SignIn>().refresh_token).toBeUndefined()
    const cookie = String(reply.headers['set-cookie']?.[0])
    expect(cookie).toMatch(/^clouddocs_refresh=[^;]+;/)
    for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/api/auth']) expect(cookie).toContain(attribute)
    const pair = cookie.split(';')[0]
    expect((await api.call('POST', '/api/auth/refresh', { headers: { cookie: pair }, token: null })).status).toBe(401)
    const again = await api.must('POST', '/api/auth/refresh', { headers: { ...headers, cookie: pair }, token: null })
    const next = String(again.headers['set-cookie']?.[0]).split(';')[0]
    const ended = await api.must('POST', '/api/auth/logout', { headers: { ...headers, cookie: next }, token: null })
    expect(String(ended.headers['set-cookie']?.[0])).toContain('Max-Age=0')
    expect((await api.call('POST', '/api/auth/refresh', { headers: { ...headers, cookie: next }, token: null })).status).toBe(401)
  })
})

describe('files', () => {
  test('upload, list, download, ranges, rename, move, copy', async () => {
    const content = noise(3_000_000)
    const folder = await api.folder('Документы')
    const file = await api.upload('отчёт №1.bin', content, { parent_id: folder.id, modified_at: '1700000000000000' })
    expect(file).toMatchObject({ size: content.length, sha256: sha256(content), version: 1, parent_id: folder.id, modified_at: 1700000000000000 })

    const whole = await api.must('GET', `/api/files/${file.id}`)
    expect(sha256(whole.body)).toBe(file.sha256)
    const disposition = String(whole.headers['content-disposition'])
    expect(disposition).toMatch(/^attachment;/)
    expect(disposition).toContain(`filename*=UTF-8''${encodeURIComponent('отчёт №1.bin')}`)
    const etag = String(whole.headers['etag'])
    expect((await api.call('GET', `/api/files/${file.id}`, { headers: { 'if-none-match': etag } })).status).toBe(304)
    const part = await api.must('GET', `/api/files/${file.id}`, { headers: { range: 'bytes=1000000-1000099' } })
    expect(part.status).toBe(206)
    expect(part.body.equals(content.subarray(1_000_000, 1_000_100))).toBe(true)
    expect(part.headers['content-range']).toBe(`bytes 1000000-1000099/${content.length}`)
    const tail = await api.must('GET', `/api/files/${file.id}`, { headers: { range: 'bytes=-5', 'if-range': etag } })
    expect(tail.body.equals(content.subarray(-5))).toBe(true)
    expect((await api.must('GET', `/api/files/${file.id}`, { headers: { range: 'bytes=0-4', 'if-range': '"other"' } })).status).toBe(200)
    const head = await api.must('HEAD', `/api/files/${file.id}`)
    expect(head.headers['content-length']).toBe(String(content.length))

    const renamed = (await api.must('PATCH', `/api/files/${file.id}`, { json: { base_seq: file.seq, filename: 'b.bin' } })).json<Item>()
    const moved = (await api.must('PATCH', `/api/files/${file.id}`, { json: { base_seq: renamed.seq, parent_id: api.root } })).json<Item>()
    expect(moved).toMatchObject({ filename: 'b.bin', parent_id: api.root, version: 1 })
    expect(await api.metadata(file.id)).toEqual(moved)
    const copy = await api.post<Item>(`/api/files/${file.id}/copy`, { filename: 'c.bin', parent_id: folder.id })
    expect(copy.sha256).toBe(file.sha256)
    const second = await api.post<Item>(`/api/files/${file.id}/copy`, { on_conflict: 'rename' })
    expect(second.filename).toBe('b (2).bin')
    const deep = await api.post<Item>(`/api/files/${folder.id}/copy`, { filename: 'copy of folder' })
    expect((await api.list(deep.id)).items.map((item) => item.filename)).toEqual(['c.bin'])
    expect(await api.used()).toBe(4 * content.length)
  })

  test('a listing is paged in every order, and knows when nothing has changed', async () => {
    const folder = await api.folder('pages')
    for (let i = 0; i < 7; ++i) await api.upload(`f${(i * 5) % 7}`, 'x'.repeat(i), { parent_id: folder.id })
    await api.folder('sub', folder.id)
    for (const sort of ['name', '-name', 'size', '-size', 'modified_at', '-modified_at']) {
      const names: string[] = []
      let cursor: string | null = ''
      while (cursor !== null) {
        const page: { items: Item[]; next_cursor: string | null } = await api.get(`/api/files?parent_id=${folder.id}&limit=3&sort=${sort}${cursor ? `&cursor=${cursor}` : ''}`)
        expect(page.items.length).toBeLessThanOrEqual(3)
        names.push(...page.items.map((item) => item.filename))
        cursor = page.next_cursor
      }
      expect(names, sort).toHaveLength(8)
      expect(names[0], `${sort}: folders first`).toBe('sub')
      expect(new Set(names).size).toBe(8)
      if (sort === 'name') expect(names.slice(1)).toEqual(['f0', 'f1', 'f2', 'f3', 'f4', 'f5', 'f6'])
      if (sort === '-name') expect(names.slice(1)).toEqual(['f6', 'f5', 'f4', 'f3', 'f2', 'f1', 'f0'])
    }
    const reply = await api.must('GET', `/api/files?parent_id=${folder.id}`)
    const headers = { 'if-none-match': String(reply.headers['etag']) }
    expect((await api.call('GET', `/api/files?parent_id=${folder.id}`, { headers })).status).toBe(304)
    await api.upload('new', 'new', { parent_id: folder.id })
    expect((await api.call('GET', `/api/files?parent_id=${folder.id}`, { headers })).status).toBe(200)
  })

  test('versions: upload over, list, read, restore', async () => {
    const file = await api.upload('v.txt', 'one')
    const next = await api.upload('v.txt', 'two!', { on_conflict: 'version', base_version: '1' })
    expect(next).toMatchObject({ id: file.id, version: 2 })
    expect((await api.uploadReply('v.txt', 'three', { on_conflict: 'version', base_version: '1' })).code).toBe('stale_base')
    expect((await api.uploadReply('v.txt', 'three')).code).toBe('name_taken')
    expect((await api.upload('v.txt', 'three', { on_conflict: 'rename' })).filename).toBe('v (2).txt')
    const versions = await api.get<{ items: { version: number; current: boolean; size: number }[] }>(`/api/files/${file.id}/versions`)
    expect(versions.items.map((version) => [version.version, version.size, version.current])).toEqual([[2, 4, true], [1, 3, false]])
    expect((await api.must('GET', `/api/files/${file.id}/versions/1`)).body.toString()).toBe('one')
    const restored = await api.post<Item>(`/api/files/${file.id}/versions/1/restore`, { base_version: 2 })
    expect(restored).toMatchObject({ version: 3, sha256: sha256('one') })
    expect((await api.download(file.id)).toString()).toBe('one')
    const paged = await api.get<{ items: { version: number }[]; next_cursor: string | null }>(`/api/files/${file.id}/versions?limit=2`)
    expect(paged.items.map((version) => version.version)).toEqual([3, 2])
    expect(paged.next_cursor).not.toBeNull()
    const rest = await api.get<{ items: { version: number }[]; next_cursor: string | null }>(`/api/files/${file.id}/versions?limit=2&cursor=${paged.next_cursor}`)
    expect(rest.items.map((version) => version.version)).toEqual([1])
    expect(rest.next_cursor).toBeNull()
  })

  test('trash: delete, list, restore, purge, empty', async () => {
    const folder = await api.folder('to be trashed')
    const inside = await api.upload('inside', 'inside', { parent_id: folder.id })
    const used = await api.used()
    const trashed = (await api.must('DELETE', `/api/files/${folder.id}`)).json<Item>()
    expect(trashed.deleted_at).not.toBeNull()
    expect(await api.used()).toBe(used)
    expect((await api.get<{ items: Item[] }>('/api/trash')).items[0]?.id).toBe(folder.id)
    expect((await api.must('POST', `/api/trash/${folder.id}/restore`)).json<Item>().deleted_at).toBeNull()
    expect((await api.download(inside.id)).toString()).toBe('inside')
    await api.must('DELETE', `/api/files/${inside.id}?permanent=true`)
    expect(await api.used()).toBe(used - 6)
    expect((await api.call('GET', `/api/files/${inside.id}`)).status).toBe(404)
    await api.must('DELETE', `/api/files/${folder.id}`)
    expect((await api.must('DELETE', '/api/trash')).json()).toEqual({ purged: 1 })
    expect((await api.get<{ items: Item[] }>('/api/trash')).items).toEqual([])
  })

  test('a download address works without a token, for its file only', async () => {
    const file = await api.upload('shared.txt', 'shared')
    const other = await api.upload('unshared.txt', 'unshared')
    const { url } = (await api.must('POST', `/api/files/${file.id}/download-url`)).json<{ url: string }>()
    const anonymous = new Api(server)
    expect((await anonymous.must('GET', url)).body.toString()).toBe('shared')
    expect((await anonymous.call('GET', url.replace(file.id, other.id))).status).toBe(401)
  })
})

describe('sync', () => {
  test('chunks, commit, manifests, fetch, changes, status, report', async () => {
    const device = await Api.register(server)
    const content = noise(5_500_000, 'sync')
    const chunked = new ChunkedContent(content)
    const missing = await device.post<{ missing: string[] }>('/api/sync/chunks/missing', { space: device.space, chunks: chunked.names })
    expect(missing.missing).toEqual(chunked.names)
    expect((await device.storeChunks(chunked.stream())).json()).toEqual({ stored: 6 })
    expect(await device.post('/api/sync/chunks/missing', { space: device.space, chunks: chunked.names })).toEqual({ missing: [] })

    const folder = device.newId()
    const id = device.newId()
    const link = device.newId()
    const committed = await device.commit([
      { op: 'mkdir', id: folder, parent_id: device.root, filename: 'dir' },
      chunked.operation(id, folder, 'big'),
      { op: 'symlink', id: link, parent_id: folder, filename: 'link', target: '../elsewhere', modified_at: 1, base_seq: 0 },
    ])
    expect(committed.results.map((result) => result.status)).toEqual([200, 200, 200])
    const file = committed.results[1]?.item as Item
    expect(file).toMatchObject({ content_id: chunked.contentId, sha256: chunked.sha256, size: content.length })
    expect(sha256(await device.download(id))).toBe(chunked.sha256)

    const later = await device.commit([
      { op: 'move', id, parent_id: device.root, filename: 'big2', base_seq: file.seq },
      { op: 'meta', id: link, base_seq: committed.results[2]?.item?.seq, modified_at: 5, executable: false },
    ])
    expect(later.results[0]).toMatchObject({ status: 200, item: { filename: 'big2' } })
    expect(later.results[1]).toMatchObject({ status: 200, item: { modified_at: 5 } })
    const remove = { op: 'delete', id: folder, base_seq: committed.results[0]?.item?.seq }
    const unseen = await device.commit([{ ...remove, seen: committed.cursor }])
    expect(unseen.results[0]).toMatchObject({ status: 412, code: 'stale_base' }) // something below has changed since
    const deleted = await device.commit([{ ...remove, seen: later.cursor }])
    const back = await device.commit([{ op: 'restore', id: folder, base_seq: deleted.results[0]?.item?.seq }])
    expect(back.results[0]).toMatchObject({ status: 200, item: { deleted_at: null } })

    const manifests = await device.post<{ items: { level: number; chunks: [string, number][] }[] }>('/api/sync/manifests', {
      space: device.space,
      files: [{ id }, { id, version: 1 }, { id: device.newId() }],
    })
    expect(manifests.items[0]).toEqual(manifests.items[1])
    expect(manifests.items[0]?.chunks.map((entry) => entry[0])).toEqual(chunked.names)
    expect(manifests.items[2]).toMatchObject({ code: 'not_found' })
    const wanted = [...chunked.names.slice(0, 2).reverse(), Buffer.concat([Buffer.from([1]), Buffer.alloc(32, 7)]).toString('base64url')]
    const fetched = await device.must('POST', '/api/sync/chunks/fetch', { json: { space: device.space, chunks: wanted } })
    const frames = readChunkStream(fetched.body)
    expect(frames[0]?.equals(content.subarray(1 << 20, 2 << 20))).toBe(true)
    expect(frames[2]).toBeNull()

    const all = await device.replay()
    const paged = await device.replay(undefined, 1)
    expect(paged.items).toEqual(all.items)
    expect(paged.cursor).toBe(all.cursor)
    expect((await device.changes(all.cursor)).items).toEqual([])

    await device.must('POST', '/api/sync/report', { json: { unsynced: [{ path: 'a/b', reason: 'in use' }] } })
    const status = await device.get<{ storage_used: number; devices: { unsynced: unknown[] }[] }>('/api/sync/status')
    expect(status.storage_used).toBe(content.length)
    expect(status.devices[0]?.unsynced).toEqual([{ path: 'a/b', reason: 'in use' }])
  })

  test('a manifest of more than 64 chunks is a tree, and both sides form the same', async () => {
    const content = noise(1_000_000, 'tree')
    const chunked = new ChunkedContent(content, 1000)
    expect(chunked.level).toBe(1)
    await api.storeChunks(chunked.stream())
    const id = api.newId()
    const committed = await api.commit([chunked.operation(id, api.root, 'tree.bin')])
    expect(committed.results[0]).toMatchObject({ status: 200, item: { content_id: chunked.contentId } })
    expect(sha256(await api.download(id))).toBe(chunked.sha256)
    const manifest = await api.post<{ items: { level: number; chunks: unknown[] }[] }>('/api/sync/manifests', { space: api.space, files: [{ id }] })
    expect(manifest.items[0]).toMatchObject({ level: 1, chunks: chunked.operation(id, api.root, 'tree.bin')['chunks'] })
  })

  test('a batch sent twice gives the same results', async () => {
    const operation = await api.put(`twice-${randomUUID()}`, 'twice')
    const key = randomUUID()
    const [first, second] = [await api.commit([operation], key), await api.commit([operation], key)]
    expect(second.results).toEqual(first.results)
    // The same operation under another key is a retry as well.
    expect((await api.commit([operation])).results[0]?.status).toBe(200)
  })

  test('an upload of the API and a commit of the same bytes have the same content id', async () => {
    const content = noise(100_000, 'same')
    const uploaded = await api.upload('same1', content)
    const manifest = await api.post<{ items: { chunks: [string, number][] }[] }>('/api/sync/manifests', { space: api.space, files: [{ id: uploaded.id }] })
    const operation = { ...new ChunkedContent(content).operation(api.newId(), api.root, 'same2'), chunks: manifest.items[0]?.chunks }
    expect((await api.commit([operation])).results[0]?.item?.content_id).toBe(uploaded.content_id)
  })

  test('the socket opens', async () => {
    const push = await Push.open(api)
    seen.add('open_socket 200')
    push.close()
  })
})

describe('the server about itself', () => {
  test('health, readiness, metrics, configuration, contract', async () => {
    const anonymous = new Api(server)
    expect((await anonymous.must('GET', '/healthz')).json()).toMatchObject({ status: 'ok' })
    expect((await anonymous.must('GET', '/readyz')).json()).toMatchObject({ status: 'ok' })
    expect((await anonymous.must('GET', '/api/config')).json()).toMatchObject({ registration_open: true })
    expect((await anonymous.must('GET', '/api/openapi.yaml')).body.toString()).toContain('openapi: 3.1.0')
    expect((await anonymous.must('GET', '/metrics')).body.toString()).toMatch(/^# (HELP|TYPE) /m)
  })
})

test('every operation of the contract was answered with success here', () => {
  const succeeded = new Set([...seen].filter((entry) => / [23]\d\d$/.test(entry)).map((entry) => entry.split(' ')[0]))
  expect(routes.map((route) => route.operation.operationId).filter((id) => !succeeded.has(id))).toEqual([])
})
