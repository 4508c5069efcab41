import http from 'node:http'
import { beforeAll, describe, expect, test } from 'vitest'
import { Api, password, type Reply, type SignIn } from './support/api.ts'
import { noise } from './support/content.ts'
import { Push } from './support/push.ts'
import { RawSocket } from './support/raw.ts'
import { eventually, Server, sleep } from './support/server.ts'

// TASK-101: what was revoked is refused or closed within a second: access token, refresh token, open socket, running upload and running download
// of another device.

let server: Server

beforeAll(async () => {
  server = await Server.start()
})

const second = 1_000
const uploadSize = 64 << 20

// An upload that is under way: its head is sent, and a piece of its content.
class RunningUpload {
  readonly raw: RawSocket
  constructor(raw: RawSocket) {
    this.raw = raw
  }
  static async start(api: Api, name: string): Promise<RunningUpload> {
    const raw = new RawSocket(server.port)
    const head = `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n`
    await raw.send(`POST /api/files/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${uploadSize}\r\n\r\n${head}`)
    await raw.send(noise(3 << 20, name))
    return new RunningUpload(raw)
  }
  // When the server answered or closed; `feed` bytes are sent every 20 ms meanwhile.
  async ended(feed: number): Promise<{ at: number; reply: Reply | undefined }> {
    const before = performance.now()
    const answer = this.raw.read(10_000)
    let done = false
    void answer.finally(() => (done = true)).catch(() => undefined)
    while (!done && performance.now() - before < 10_000) {
      if (feed > 0) await this.raw.send(noise(feed, 'feed'))
      await sleep(20)
    }
    const reply = await answer.catch(() => undefined)
    return { at: performance.now(), reply }
  }
}

interface Victim {
  api: Api
  push: Push
  uploads: { fast: RunningUpload; slow: RunningUpload; idle: RunningUpload }
}

async function makeVictim(owner: Api, secret = password): Promise<Victim> {
  const api = await owner.login(secret)
  const push = await Push.open(api)
  const id = Math.random().toString(36).slice(2)
  const uploads = {
    fast: await RunningUpload.start(api, `fast-${id}`),
    slow: await RunningUpload.start(api, `slow-${id}`),
    idle: await RunningUpload.start(api, `idle-${id}`),
  }
  return { api, push, uploads }
}

async function expectEnded(victim: Victim, revoke: () => Promise<unknown>): Promise<void> {
  const { api, push, uploads } = victim
  const fast = { raw: uploads.fast.raw, ended: uploads.fast.ended(256 << 10) }
  const slow = { raw: uploads.slow.raw, ended: uploads.slow.ended(100) }
  const idle = { raw: uploads.idle.raw, ended: uploads.idle.ended(0) }
  await sleep(100)
  await revoke()
  const since = performance.now()
  const token = eventually('the access token is refused', second, async () => (await api.call('GET', '/api/auth/me')).status === 401)
  await token
  const tokenTook = performance.now() - since
  await push.closed(second)
  const socketTook = push.closedAt - since
  const refreshed = await api.call('POST', '/api/auth/refresh', { json: { refresh_token: api.refreshToken }, token: null })
  expect([refreshed.status, refreshed.code]).toEqual([401, 'token_invalid'])
  expect(performance.now() - since).toBeLessThan(second)
  const took: Record<string, number> = {}
  for (const [name, upload] of Object.entries({ fast, slow, idle })) {
    const { at, reply } = await upload.ended
    took[name] = Math.max(0, at - since)
    if (reply) expect([reply.status, reply.code], `${name} upload`).toEqual([401, 'token_invalid'])
    upload.raw.destroy()
  }
  console.log(`revoked: access token after ${tokenTook.toFixed(0)} ms, socket ${Math.max(0, socketTook).toFixed(0)} ms, uploads ${JSON.stringify(took, (_, value: unknown) => (typeof value === 'number' ? Math.round(value) : value))} ms`)
  expect(push.closeCode).toBe(4401)
  expect(push.frames.find((frame) => frame.type === 'bye')).toMatchObject({ code: 'revoked' })
  expect((await new Api(server).call('GET', '/api/auth/me', { token: api.token ?? '' })).status).toBe(401)
  const reconnect = new Push(api)
  await reconnect.closed()
  expect(reconnect.refusedWith).toBe(401)
  for (const [name, value] of Object.entries(took)) expect(value, `the ${name} upload ends within a second`).toBeLessThan(second)
}

async function expectUntouched(owner: Api): Promise<void> {
  expect((await owner.list()).items).toEqual([])
  expect(await owner.used()).toBe(0)
}

describe('within a second', () => {
  test('a password change ends every older token, socket and running upload of the other devices', async () => {
    const owner = await Api.register(server)
    const ownPush = await Push.open(owner)
    const oldToken = owner.token
    const oldRefresh = owner.refreshToken
    const victim = await makeVictim(owner)
    await expectEnded(victim, async () => {
      owner.adopt(await owner.post<SignIn>('/api/auth/password', { current_password: password, new_password: 'another password 1' }))
    })
    await expectUntouched(owner)
    // The session that changed it goes on, with its new tokens only.
    expect((await owner.call('GET', '/api/auth/me', { token: oldToken ?? '' })).status).toBe(401)
    expect((await owner.call('GET', '/api/auth/me')).status).toBe(200)
    expect((await owner.call('POST', '/api/auth/login', { json: { email: owner.email, password }, token: null })).code).toBe('credentials_invalid')
    expect((await owner.call('POST', '/api/auth/refresh', { json: { refresh_token: oldRefresh }, token: null })).status).toBe(401)
    ownPush.close()
  })

  test('a logout ends its own session and no other', async () => {
    const owner = await Api.register(server)
    const ownPush = await Push.open(owner)
    const victim = await makeVictim(owner)
    await expectEnded(victim, () => victim.api.must('POST', '/api/auth/logout'))
    expect(ownPush.closeCode).toBeUndefined()
    await expectUntouched(owner)
    ownPush.close()
  })

  test('a logout by refresh token alone', async () => {
    const owner = await Api.register(server)
    const victim = await makeVictim(owner)
    await expectEnded(victim, () => owner.must('POST', '/api/auth/logout', { json: { refresh_token: victim.api.refreshToken }, token: null }))
    await expectUntouched(owner)
  })

  test('the removal of a session by another device', async () => {
    const owner = await Api.register(server)
    const victim = await makeVictim(owner)
    const sessions = await victim.api.get<{ items: { id: string; current: boolean }[] }>('/api/auth/sessions')
    const id = sessions.items.find((session) => session.current)?.id
    await expectEnded(victim, () => owner.must('DELETE', `/api/auth/sessions/${id}`))
    await expectUntouched(owner)
  })

  test('clouddocsd user passwd, run beside the live server', async () => {
    const owner = await Api.register(server)
    const victim = await makeVictim(owner)
    await expectEnded(victim, async () => {
      const ended = await server.command(['user', 'passwd', owner.email, '--password-stdin'], 'set by the administrator\n')
      expect(ended.code, ended.stderr).toBe(0)
    })
    expect((await owner.call('GET', '/api/auth/me')).status).toBe(401)
    await expectUntouched(await owner.login('set by the administrator'))
  })

  test('a spent refresh token that comes back after its successor was used ends the session', async () => {
    const owner = await Api.register(server)
    const first = owner.refreshToken
    const push = await Push.open(owner)
    const next = await owner.post<SignIn>('/api/auth/refresh', { refresh_token: first })
    // Two tabs: the same token again gives the same successor.
    expect((await owner.post<SignIn>('/api/auth/refresh', { refresh_token: first })).refresh_token).toBe(next.refresh_token)
    const third = await owner.post<SignIn>('/api/auth/refresh', { refresh_token: next.refresh_token })
    expect((await owner.call('POST', '/api/auth/refresh', { json: { refresh_token: first }, token: null })).code).toBe('token_invalid')
    await push.closed(second)
    expect((await owner.call('GET', '/api/auth/me', { token: third.access_token })).status).toBe(401)
    expect((await owner.call('POST', '/api/auth/refresh', { json: { refresh_token: third.refresh_token }, token: null })).status).toBe(401)
  })

  test('a revocation survives kill -9', async () => {
    const owner = await Api.register(server)
    const other = await owner.login()
    await other.must('POST', '/api/auth/logout')
    await server.kill()
    await server.launch()
    expect((await other.call('GET', '/api/auth/me', { agent: new http.Agent() })).status).toBe(401)
    expect((await owner.call('GET', '/api/auth/me', { agent: new http.Agent() })).status).toBe(200)
  })
})
