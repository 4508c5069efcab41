import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { getResponse } from 'msw'
import type { Plugin } from 'vite'
import { WebSocketServer, type WebSocket } from 'ws'
import { MockCloud } from '../src/testing/mock-cloud.ts'
import { mockHandlers } from '../src/testing/mock-handlers.ts'

// Lets the web app run without a server: `npm run dev:mock`. Everything lies in memory; demo@example.org / demo-demo can sign in.
export function mockServer(): Plugin {
  const cloud = makeDemo()
  const handlers = mockHandlers(cloud)

  async function answer(request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> {
    if (request.url?.startsWith('/api/') !== true) return next()
    // Node has no cookie jar for the handlers: the browser's cookie names the account.
    const auth = request.url.startsWith('/api/auth/')
    if (request.url === '/api/auth/refresh') cloud.cookie = /clouddocs_refresh=([^;]+)/.exec(request.headers.cookie ?? '')?.[1]
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD'
    const answered = await getResponse(
      handlers,
      new Request(`http://${request.headers.host ?? 'localhost'}${request.url}`, {
        method: request.method ?? 'GET',
        headers: Object.entries(request.headers).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]])),
        ...(hasBody && { body: Readable.toWeb(request) as ReadableStream, duplex: 'half' }),
      } as RequestInit),
    )
    if (auth && answered?.ok === true) {
      response.setHeader('Set-Cookie', `clouddocs_refresh=${cloud.cookie ?? ''}; Path=/api/auth; HttpOnly; SameSite=Strict${cloud.cookie === undefined ? '; Max-Age=0' : ''}`)
    }
    response.writeHead(answered?.status ?? 404, Object.fromEntries(answered?.headers ?? []))
    response.end(answered ? Buffer.from(await answered.arrayBuffer()) : undefined)
  }

  const mount = (server: { middlewares: { use: (handler: typeof answer) => void }; httpServer: unknown }) => {
    server.middlewares.use((request, response, next) => answer(request, response, next))
    if (server.httpServer) push(cloud, server.httpServer as Server)
  }
  return { name: 'clouddocs-mock', configureServer: mount, configurePreviewServer: mount }
}

function push(cloud: MockCloud, server: Server): void {
  const sockets = new WebSocketServer({ noServer: true })
  const live = new Set<WebSocket>()
  server.on('upgrade', (request, socket, head) => {
    if (request.url !== '/api/sync/ws') return
    sockets.handleUpgrade(request, socket, head, (opened) => {
      opened.on('message', (text) => {
        const frame = JSON.parse(String(text)) as { type: string; token?: string }
        if (frame.type === 'ping') opened.send(JSON.stringify({ type: 'pong' }))
        if (frame.type !== 'auth') return
        if (!cloud.tokens.has(frame.token ?? '')) return opened.close(4401)
        live.add(opened)
        opened.send(JSON.stringify({ type: 'hello', spaces: [{ space: cloud.space, cursor: cloud.cursor }] }))
      })
      opened.on('close', () => live.delete(opened))
    })
  })
  cloud.onChange(() => {
    const frame = JSON.stringify({ type: 'changes', space: cloud.space, from: `c${cloud.seq - 1}`, to: cloud.cursor })
    for (const socket of live) socket.send(frame)
  })
}

function makeDemo(): MockCloud {
  const cloud = new MockCloud()
  cloud.addAccount('demo@example.org', 'demo-demo')
  const ago = (hours: number) => (Date.now() - hours * 3_600_000) * 1000
  const documents = cloud.addFolder('Documents')
  cloud.addFolder('Photos')
  cloud.addFolder('Проекты')
  const contracts = cloud.addFolder('Contracts', documents.id)
  cloud.addFolder('2026', contracts.id)
  cloud.putFile('Signed lease agreement.pdf', 482_113, { parentId: contracts.id, modifiedAt: ago(400) })
  cloud.putFile('Annual report 2025.pdf', 2_412_331, { modifiedAt: ago(3) })
  cloud.putFile('Budget.xlsx', 48_210, { modifiedAt: ago(30) })
  cloud.putFile('Holiday.mp4', 348_211_004, { modifiedAt: ago(700), mime: 'video/mp4' })
  cloud.putFile('Interview.mp3', 28_451_200, { modifiedAt: ago(9000), mime: 'audio/mpeg' })
  cloud.putFile('Mountains at dawn.jpg', 6_120_554, { modifiedAt: ago(0.2), mime: 'image/jpeg' })
  cloud.putFile('notes.md', new TextEncoder().encode('# Notes\n'), { modifiedAt: ago(0.01), mime: 'text/markdown' })
  cloud.putFile('backup.tar.zst', 512_000_000, { modifiedAt: ago(50) })
  cloud.putFile('planner.cpp', 18_220, { modifiedAt: ago(80) })
  cloud.putFile('A very long file name that would not fit into one line on most of the screens that people use every day, final version (2).docx', 91_000, { modifiedAt: ago(120) })
  cloud.trash(cloud.putFile('Old draft.txt', 1_204, { modifiedAt: ago(900) }).id)
  return cloud
}
