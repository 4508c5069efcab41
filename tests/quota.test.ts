import { beforeAll, describe, expect, test } from 'vitest'
import { Api, type Reply } from './support/api.ts'
import { ChunkedContent, noise, Random, type Item } from './support/content.ts'
import { Server } from './support/server.ts'

// Quota is exact: storage_used is the sum of the current version of every file, live or trashed; nobody passes the limit.

const limit = 10 << 20
let server: Server

beforeAll(async () => {
  server = await Server.start({ env: { CLOUDDOCS_PLANS__FREE__STORAGE: String(limit), CLOUDDOCS_PLANS__FREE__DEVICES: '50' } })
})

async function sumOf(api: Api): Promise<number> {
  const page = await api.replay()
  return page.items.filter((item) => item.kind === 'file' && !item.purged).reduce((sum, item) => sum + item.size, 0)
}

async function expectExact(api: Api): Promise<number> {
  const used = await api.used()
  expect(used).toBe(await sumOf(api))
  expect(used).toBeLessThanOrEqual(limit)
  expect((await api.get<{ storage_used: number }>('/api/sync/status')).storage_used).toBe(used)
  return used
}

describe('quota', () => {
  test('parallel uploads of the API cannot pass it', async () => {
    const api = await Api.register(server)
    const size = 900_000 // eleven fit
    const replies = await Promise.all(Array.from({ length: 40 }, (_, i) => api.uploadReply(`f${i}`, noise(size, `parallel${i}`))))
    const stored = replies.filter((reply) => reply.status === 201)
    for (const reply of replies.filter((other) => other.status !== 201)) expect([reply.status, reply.code]).toEqual([507, 'quota_exceeded'])
    const used = await expectExact(api)
    expect(used).toBe(stored.length * size)
    console.log(`quota: of 40 parallel uploads ${stored.length} were stored, ${Math.floor(limit / size)} fit`)
    // Uploads that run at the same time may hold room for each other; afterwards everything that fits must fit.
    for (let i = stored.length; i < Math.floor(limit / size); ++i) await api.upload(`later${i}`, noise(size, `later${i}`))
    expect((await api.uploadReply('one more', noise(size))).code).toBe('quota_exceeded')
    await api.upload('rest', noise(limit - (await api.used())))
    expect(await expectExact(api)).toBe(limit)
    expect((await api.uploadReply('a byte', 'x')).code).toBe('quota_exceeded')
    expect((await api.uploadReply('nothing', '')).status).toBe(201)
  })

  test('parallel batches of devices cannot pass it, nor can copies', async () => {
    const api = await Api.register(server)
    const devices = await Promise.all(Array.from({ length: 6 }, () => api.login()))
    const size = 800_000 // 13 fit
    const statuses = await Promise.all(
      devices.flatMap((device, d) =>
        Array.from({ length: 5 }, async (_, i) => {
          const chunked = new ChunkedContent(noise(size, `batch${d}-${i}`))
          const sent = await device.storeChunks(chunked.stream())
          if (sent.status !== 200) {
            expect([sent.status, sent.code]).toEqual([507, 'quota_exceeded'])
            return 507
          }
          const committed = await device.commit([chunked.operation(device.newId(), device.root, `f${d}-${i}`)])
          if (committed.results[0]?.status !== 200) expect(committed.results[0]).toMatchObject({ status: 507, code: 'quota_exceeded' })
          return committed.results[0]?.status
        }),
      ),
    )
    const stored = statuses.filter((status) => status === 200).length
    expect(await expectExact(api)).toBe(stored * size)
    expect(stored).toBeGreaterThan(0)
    const file = (await api.list()).items[0] as Item
    const copies = await Promise.all(Array.from({ length: 20 }, (_, i) => api.call('POST', `/api/files/${file.id}/copy`, { json: { filename: `copy${i}` } })))
    for (const reply of copies) if (reply.status !== 201) expect([reply.status, reply.code]).toEqual([507, 'quota_exceeded'])
    const used = await expectExact(api)
    expect(limit - used).toBeLessThan(size)
  })

  test('chunks that are sent and never committed count, and cannot fill the server', async () => {
    const api = await Api.register(server)
    let refused: Reply | undefined
    let sent = 0
    for (let i = 0; i < 30 && !refused; ++i) {
      const reply = await api.storeChunks(new ChunkedContent(noise(1 << 20, `uncommitted${i}`)).stream())
      if (reply.status === 200) ++sent
      else refused = reply
    }
    expect([refused?.status, refused?.code]).toEqual([507, 'quota_exceeded'])
    expect(sent).toBeLessThanOrEqual(limit >> 20)
    expect(await api.used()).toBe(0)
  })

  test('a version that is larger, a restore of one, and what lies in the trash all count', async () => {
    const api = await Api.register(server)
    const file = await api.upload('f', noise(6 << 20, 'six'))
    expect((await api.uploadReply('f', noise(11 << 20), { on_conflict: 'version', base_version: '1' })).status).toBe(507)
    await api.upload('f', noise(1 << 20, 'one'), { on_conflict: 'version', base_version: '1' })
    expect(await expectExact(api)).toBe(1 << 20)
    const other = await api.upload('other', noise(7 << 20, 'seven'))
    expect((await api.call('POST', `/api/files/${file.id}/versions/1/restore`, { json: { base_version: 2 } })).code).toBe('quota_exceeded')
    await api.must('DELETE', `/api/files/${other.id}`)
    expect(await expectExact(api)).toBe(8 << 20)
    expect((await api.uploadReply('third', noise(3 << 20))).code).toBe('quota_exceeded')
    await api.must('DELETE', '/api/trash')
    expect(await expectExact(api)).toBe(1 << 20)
    await api.must('POST', `/api/files/${file.id}/versions/1/restore`, { json: { base_version: 2 } })
    expect(await expectExact(api)).toBe(6 << 20)
  })

  test('after a random workload of five devices storage_used is the sum of what is stored', async () => {
    const seed = Date.now() % 1_000_000
    console.log(`quota: seed ${seed}`)
    const api = await Api.register(server)
    const devices = await Promise.all([api, api.login(), api.login(), api.login(), api.login()])
    await Promise.all(devices.map((device, d) => work(device, new Random(seed + d * 7919), d)))
    const used = await expectExact(api)
    const page = await api.replay()
    console.log(`quota: ${page.items.length} items after 600 random steps, ${used} bytes`)
    await server.kill()
    await server.launch()
    expect(await expectExact(api)).toBe(used)
    await api.must('DELETE', '/api/trash')
    await expectExact(api)
    for (const item of (await api.list()).items) await api.must('DELETE', `/api/files/${item.id}?permanent=true`)
    expect(await expectExact(api)).toBe(0)
  }, 120_000)
})

// Steps that may be refused, but never wrongly counted.
async function work(api: Api, random: Random, d: number): Promise<void> {
  for (let i = 0; i < 120; ++i) {
    const all = (await api.replay()).items.filter((item) => item.parent_id !== null && !item.purged)
    const files = all.filter((item) => item.kind === 'file')
    const any = all[random.below(all.length)]
    const file = files[random.below(files.length)]
    const folders = all.filter((item) => item.kind === 'folder' && item.deleted_at === null)
    const parent = folders[random.below(folders.length + 1)]?.id ?? api.root
    const size = random.below(400_000)
    const name = `${d}-${i}`
    const refusable = async (reply: Promise<Reply>) => {
      const { status } = await reply
      if (status >= 500 && status !== 507) throw new Error(`status ${status}`)
    }
    switch (random.below(10)) {
      case 0:
      case 1:
        await refusable(api.uploadReply(name, noise(size, name), { parent_id: parent }))
        break
      case 2: {
        const operation = await api.put(name, noise(size, name), { parent_id: parent }).catch(() => undefined)
        if (operation) await refusable(api.commitReply([operation]))
        break
      }
      case 3:
        if (file) await refusable(api.uploadReply(file.filename, noise(size, name), { parent_id: file.parent_id ?? '', on_conflict: 'version', base_version: String(file.version) }))
        break
      case 4:
        await refusable(api.call('POST', '/api/files/folders', { json: { filename: name, parent_id: parent } }))
        break
      case 5:
        if (any) await refusable(api.call('POST', `/api/files/${any.id}/copy`, { json: { parent_id: parent, on_conflict: 'rename' } }))
        break
      case 6:
        if (any) await refusable(api.call('DELETE', `/api/files/${any.id}`))
        break
      case 7:
        if (any) await refusable(api.call('POST', `/api/trash/${any.id}/restore`, { json: { on_conflict: 'rename' } }))
        break
      case 8:
        if (any) await refusable(api.call('DELETE', `/api/files/${any.id}?permanent=true`))
        break
      case 9:
        if (any) await refusable(api.call('PATCH', `/api/files/${any.id}`, { json: { base_seq: any.seq, parent_id: parent } }))
        if (file && file.version > 1) await refusable(api.call('POST', `/api/files/${file.id}/versions/1/restore`, { json: { base_version: file.version } }))
        break
    }
  }
}
