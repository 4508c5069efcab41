import { http, HttpResponse } from 'msw'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { email, makeCloud, password } from '@/testing/render-app'
import { mockNetwork } from '@/testing/setup'
import { api, body } from './client'
import { Problem } from './problem'
import { Session, session } from './session'

function countRefreshes() {
  let refreshes = 0
  mockNetwork.events.on('request:start', ({ request }) => {
    if (request.url.endsWith('/refresh')) refreshes += 1
  })
  return () => refreshes
}

afterEach(() => {
  mockNetwork.events.removeAllListeners()
  vi.useRealTimers()
})

describe('Session', () => {
  it('picks up the session of the cookie', async () => {
    makeCloud()
    const own = new Session()
    await own.start()
    expect(own.state()).toMatchObject({ status: 'signed_in', user: { email } })
  })

  it('is signed out without a cookie, and says that the server is unreachable when it is', async () => {
    makeCloud({ signedIn: false })
    const own = new Session()
    await own.start()
    expect(own.state()).toEqual({ status: 'signed_out', expired: false })

    mockNetwork.use(http.post('*/api/auth/refresh', () => HttpResponse.error()))
    const other = new Session()
    await other.start()
    expect(other.state()).toEqual({ status: 'unreachable' })
  })

  it('sends one refresh for many callers', async () => {
    makeCloud()
    const refreshes = countRefreshes()
    const own = new Session()
    const tokens = await Promise.all([own.token(), own.token(), own.refresh()])
    expect(new Set(tokens).size).toBe(1)
    expect(refreshes()).toBe(1)
  })

  it('refreshes shortly before the token expires', async () => {
    makeCloud()
    const own = new Session()
    const first = await own.token()
    expect(await own.token()).toBe(first)
    vi.useFakeTimers({ now: Date.now() + 880_000, toFake: ['Date'] })
    expect(await own.token()).not.toBe(first)
  })

  it('lets refreshes of several tabs wait for each other where the browser can', async () => {
    makeCloud()
    const request = vi.fn((_name: string, work: () => Promise<unknown>) => work())
    vi.stubGlobal('navigator', Object.assign(Object.create(navigator) as object, { locks: { request } }))
    await new Session().token()
    expect(request).toHaveBeenCalledWith('clouddocs-refresh', expect.any(Function))
    vi.unstubAllGlobals()
  })

  it('tells other tabs about signing in and out', async () => {
    makeCloud({ signedIn: false })
    const [here, there] = [new Session(), new Session()]
    await Promise.all([here.start(), there.start()])
    await here.signIn('login', { email, password })
    await vi.waitFor(() => expect(there.state().status).toBe('signed_in'))
    await here.signOut()
    await vi.waitFor(() => expect(there.state().status).toBe('signed_out'))
  })

  it('keeps the session when signing out did not reach the server', async () => {
    makeCloud()
    const own = new Session()
    await own.start()
    mockNetwork.use(http.post('*/api/auth/logout', () => HttpResponse.error()))
    await expect(own.signOut()).rejects.toMatchObject({ code: 'network' })
    expect(own.state().status).toBe('signed_in')
  })
})

describe('client', () => {
  it('refreshes a refused token once and repeats the request with its body', async () => {
    const cloud = makeCloud()
    await session.start()
    cloud.tokens.clear()
    const folder = await body(api.POST('/api/files/folders', { body: { filename: 'Plans' } }))
    expect(folder.filename).toBe('Plans')
  })

  it('ends the session when the refresh is refused too', async () => {
    const cloud = makeCloud()
    await session.start()
    cloud.tokens.clear()
    cloud.cookie = undefined
    await expect(api.GET('/api/auth/me')).rejects.toMatchObject({ status: 401 })
    expect(session.state()).toEqual({ status: 'signed_out', expired: true })
  })

  it('throws problems with their code, item and patience', async () => {
    const cloud = makeCloud()
    await session.start()
    const holder = cloud.addFolder('Plans')
    await expect(api.POST('/api/files/folders', { body: { filename: 'Plans' } })).rejects.toMatchObject({ status: 409, code: 'name_taken', item: { id: holder.id } })

    mockNetwork.use(http.get('*/api/auth/me', () => new HttpResponse('<html>', { status: 503, headers: { 'Retry-After': '7' } })))
    await expect(api.GET('/api/auth/me')).rejects.toMatchObject({ status: 503, code: 'unknown', retryAfter: 7 })

    mockNetwork.use(http.get('*/api/auth/me', () => HttpResponse.error()))
    await expect(api.GET('/api/auth/me')).rejects.toMatchObject({ status: 0, code: 'network' })
    expect(Problem.from('odd').code).toBe('network')
  })
})
