// SPDX-License-Identifier: AGPL-3.0-or-later
// The fan-out floor of Node: POST /event sends its body to every WebSocket. No accounts, no storage.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (text) => (body += text))
  request.on('end', () => {
    if (request.method === 'POST') for (const client of sockets.clients) client.send(body)
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 2 })
    response.end('{}')
  })
})
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
server.listen(Number(process.argv[2]), '127.0.0.1')
