import '@testing-library/jest-dom/vitest'
import { cleanup, configure } from '@testing-library/react'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest'
import { FakeSocket } from './fake-socket'

// The first page of a file is compiled while the test waits for it.
configure({ asyncUtilTimeout: 5_000 })

export const mockNetwork = setupServer()

beforeAll(() => mockNetwork.listen({ onUnhandledRequest: 'error' }))
beforeEach(() => {
  FakeSocket.opened = []
  vi.stubGlobal('WebSocket', FakeSocket)
  localStorage.clear()
  Element.prototype.getAnimations ??= () => []
})
afterEach(() => {
  cleanup()
  mockNetwork.resetHandlers()
})
afterAll(() => mockNetwork.close())
