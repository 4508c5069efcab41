import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeSocket } from '@/testing/fake-socket'
import { makeCloud } from '@/testing/render-app'
import { Live, type Hint } from './live'
import { session } from './session'

const heads = (cursor: string) => ({ type: 'hello', spaces: [{ space: 's', cursor }] })

let live: Live
let hints: Hint[]

beforeEach(async () => {
  makeCloud()
  await session.start()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  live = new Live()
  hints = []
  live.onHint((hint) => hints.push(hint))
})
afterEach(() => {
  live.stop()
  vi.useRealTimers()
})

async function connect(cursor = 'c1'): Promise<FakeSocket> {
  await vi.advanceTimersByTimeAsync(0)
  const socket = FakeSocket.last
  socket.open()
  socket.receive(heads(cursor))
  return socket
}

describe('Live', () => {
  it('says who it is in the first frame and passes hints on', async () => {
    live.start()
    live.start()
    const socket = await connect()
    expect(FakeSocket.opened).toHaveLength(1)
    expect(socket.url).toMatch(/^ws:.*\/api\/sync\/ws$/)
    expect(socket.sent[0]).toEqual({ type: 'auth', token: await session.token() })
    expect(live.status()).toBe('live')
    socket.receive({ type: 'changes', space: 's', from: 'c1', to: 'c2' })
    socket.receive({ type: 'changes', space: 's', from: 'c1', to: 'c2' })
    socket.receive('not json')
    socket.receive({ type: 'news' })
    expect(hints.map((hint) => hint.cursor)).toEqual(['c1', 'c2'])
  })

  it('reconnects after a pause, and hints only when something changed meanwhile', async () => {
    live.start()
    const socket = await connect('c1')
    socket.end()
    expect(live.status()).toBe('connecting')
    await vi.advanceTimersByTimeAsync(600)
    expect(FakeSocket.opened).toHaveLength(2)
    await connect('c1')
    expect(hints).toHaveLength(1)
    FakeSocket.last.end()
    await vi.advanceTimersByTimeAsync(600)
    await connect('c5')
    expect(hints).toHaveLength(2)
  })

  it('waits longer after each failure, at most half a minute, and stays offline meanwhile', async () => {
    live.start()
    await vi.advanceTimersByTimeAsync(0)
    for (let failures = 0; failures < 12; failures += 1) {
      FakeSocket.last.end()
      const before = FakeSocket.opened.length
      await vi.advanceTimersByTimeAsync(30_000)
      expect(FakeSocket.opened.length).toBeGreaterThan(before)
    }
    expect(live.status()).toBe('offline')
    FakeSocket.last.end()
    dispatchEvent(new Event('online'))
    await connect()
    expect(live.status()).toBe('live')
  })

  it('gives up a connection that no longer answers its pings', async () => {
    live.start()
    const socket = await connect()
    await vi.advanceTimersByTimeAsync(25_000)
    expect(socket.sent.at(-1)).toEqual({ type: 'ping' })
    socket.receive({ type: 'pong' })
    await vi.advanceTimersByTimeAsync(24_000)
    expect(socket.closed).toBe(false)
    await vi.advanceTimersByTimeAsync(11_001)
    expect(socket.closed).toBe(true)
    await vi.advanceTimersByTimeAsync(600)
    expect(FakeSocket.opened).toHaveLength(2)
  })

  it('gets another token when the socket is refused', async () => {
    live.start()
    const socket = await connect()
    const refused = socket.sent[0]?.token
    vi.useRealTimers()
    socket.end(4401)
    await vi.waitFor(() => expect(FakeSocket.opened).toHaveLength(2))
    FakeSocket.last.open()
    expect(FakeSocket.last.sent[0]?.token).not.toBe(refused)
  })
})
