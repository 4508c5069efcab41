import { createHmac, randomUUID } from 'node:crypto'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Api, multipart, password, stateOf, type Reply } from './support/api.ts'
import { base64url, ChunkedContent, chunkBytesName, chunkStream, endFrame, frame, noise, type Item } from './support/content.ts'
import { ask, RawSocket } from './support/raw.ts'
import { Server } from './support/server.ts'

// Each of these is refused with the status and code that the contract has for it, and changes nothing.

let server: Server
let api: Api
let stranger: Api
let folder: Item
let file: Item
let before: string

beforeAll(async () => {
  server = await Server.start({ env: { CLOUDDOCS_PLANS__FREE__STORAGE: '20M', CLOUDDOCS_PLANS__FREE__MAX_FILE_SIZE: '5M' } })
  api = await Api.register(server)
  stranger = await Api.register(server)
  folder = await api.folder('folder')
  file = await api.upload('file', 'content', { parent_id: folder.id })
})

beforeEach(async () => {
  before = await stateOf(api)
})

afterEach(async () => {
  expect(await stateOf(api), 'what was refused changes nothing').toBe(before)
  expect(server.isRunning).toBe(true)
})

interface Case {
  name: string
  send: () => Promise<Reply>
  refused: [number, string]
}

function refuses(cases: Case[]): void {
  test.each(cases)('$name', async ({ send, refused }) => {
    const reply = await send()
    expect([reply.status, reply.code], reply.body.toString().slice(0, 500)).toEqual(refused)
  })
}

function call(method: string, target: string | (() => string), json?: unknown | (() => unknown)): () => Promise<Reply> {
  return () =>
    api.call(method, typeof target === 'function' ? target() : target, json === undefined ? {} : { json: typeof json === 'function' ? (json as () => unknown)() : json })
}

const newFolder = (body: Buffer | string, type = 'application/json') => () => api.call('POST', '/api/files/folders', { body, headers: { 'content-type': type } })

describe('JSON', () => {
  refuses([
    { name: 'nothing', send: newFolder(''), refused: [400, 'invalid_json'] },
    { name: 'no JSON', send: newFolder('hello'), refused: [400, 'invalid_json'] },
    { name: 'cut off', send: newFolder('{"filename":"a'), refused: [400, 'invalid_json'] },
    { name: 'more after the end', send: newFolder('{"filename":"a"} x'), refused: [400, 'invalid_json'] },
    { name: 'an array', send: newFolder('["filename"]'), refused: [400, 'invalid_json'] },
    { name: 'not UTF-8', send: newFolder(Buffer.from('{"filename":"a\xff"}', 'latin1')), refused: [400, 'invalid_json'] },
    { name: 'half a surrogate pair', send: newFolder('{"filename":"\\ud800"}'), refused: [400, 'invalid_json'] },
    { name: 'a key twice', send: newFolder('{"filename":"a","filename":"b"}'), refused: [400, 'invalid_json'] },
    { name: 'nested 100,000 deep', send: newFolder('{"filename":' + '['.repeat(100_000)), refused: [400, 'invalid_json'] },
    { name: 'nested 100,000 deep, well-formed', send: newFolder(`{"filename":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), refused: [400, 'invalid_json'] },
    { name: 'over the limit', send: newFolder(JSON.stringify({ filename: 'x'.repeat(2 << 20) })), refused: [413, 'body_too_large'] },
    { name: 'a comment', send: newFolder('{"filename":"a" /* b */}'), refused: [400, 'invalid_json'] },
    { name: 'NaN', send: newFolder('{"filename":NaN}'), refused: [400, 'invalid_json'] },
    { name: 'a number over 64 bits', send: call('PATCH', () => `/api/files/${file.id}`, () => ({ base_seq: 1e300, filename: 'z' })), refused: [400, 'invalid_request'] },
    { name: 'a member too few', send: newFolder('{}'), refused: [400, 'invalid_request'] },
    { name: 'a member of another type', send: newFolder('{"filename":7}'), refused: [400, 'invalid_request'] },
    { name: 'a member null', send: newFolder('{"filename":null}'), refused: [400, 'invalid_request'] },
    { name: 'a member that does not exist', send: newFolder('{"filename":"a","colour":"red"}'), refused: [400, 'invalid_request'] },
  ])

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])('the type "%s"', async (type) => {
    expect((await newFolder('{"filename":"a"}', type)()).code).toBe('unsupported_media_type')
  })
})

describe('names', () => {
  const bad: [string, string | Buffer][] = [
    ['empty', ''],
    ['.', '.'],
    ['..', '..'],
    ['a slash', 'a/b'],
    ['only a slash', '/'],
    ['a NUL', 'a\0b'],
    ['a line end', 'a\nb'],
    ['an escape character', 'a\x1b[31m'],
    ['DEL', 'a\x7f'],
    ['256 bytes', 'x'.repeat(256)],
    ['128 letters of two bytes', 'я'.repeat(128)],
    ['4 KiB', 'x'.repeat(4_096)],
  ]
  describe.each(bad)('%s', (_, name) => {
    refuses([
      { name: 'in a new folder', send: call('POST', '/api/files/folders', { filename: name }), refused: [422, 'invalid_name'] },
      { name: 'in a rename', send: call('PATCH', () => `/api/files/${file.id}`, () => ({ base_seq: file.seq, filename: name })), refused: [422, 'invalid_name'] },
      { name: 'in a copy', send: call('POST', () => `/api/files/${file.id}/copy`, () => ({ filename: name })), refused: [422, 'invalid_name'] },
    ])
    test('in a batch', async () => {
      const committed = await api.commit([
        { op: 'mkdir', id: api.newId(), parent_id: api.root, filename: name },
        { op: 'move', id: file.id, parent_id: folder.id, filename: name, base_seq: file.seq },
        { op: 'symlink', id: api.newId(), parent_id: api.root, filename: name, target: 'x', modified_at: 1, base_seq: 0 },
        new ChunkedContent(Buffer.alloc(0)).operation(api.newId(), api.root, name as string),
      ])
      for (const result of committed.results) expect([result.status, result.code]).toEqual([422, 'invalid_name'])
      before = before.replace(/"cursor":"[^"]*"/, `"cursor":"${(await api.replay()).cursor}"`)
    })
  })
  const inForm: [string, string | Buffer][] = [...bad.filter(([name]) => !['a line end', '4 KiB'].includes(name)), ['invalid UTF-8', Buffer.from([0x61, 0xff, 0xfe])], ['overlong UTF-8', Buffer.from([0xc0, 0xaf])]]
  test.each(inForm)('%s in a form', async (_, name) => {
    const reply = await api.uploadReply(name, 'x')
    expect([reply.status, reply.code], reply.body.toString()).toEqual([422, 'invalid_name'])
  })
})

describe('forms', () => {
  const form = (body: Buffer | string, boundary: string | null = 'b') => () =>
    api.call('POST', '/api/files/upload', { body, headers: { 'content-type': boundary === null ? 'multipart/form-data' : `multipart/form-data; boundary=${boundary}` } })
  const part = (head: string, body = '') => `--b\r\n${head}\r\n\r\n${body}\r\n`
  const fileHead = 'Content-Disposition: form-data; name="file"; filename="f"'
  const fields = (parts: Parameters<typeof multipart>[0]) => () => api.call('POST', '/api/files/upload', multipart(parts))
  const good = { name: 'file', value: 'x', filename: 'good' }
  refuses([
    { name: 'no form at all', send: () => api.call('POST', '/api/files/upload', { json: {} }), refused: [415, 'unsupported_media_type'] },
    { name: 'no boundary', send: form('x', null), refused: [415, 'unsupported_media_type'] },
    { name: 'an empty boundary', send: form('x', ''), refused: [415, 'unsupported_media_type'] },
    { name: 'a boundary of 1,000 characters', send: form('x', 'b'.repeat(1000)), refused: [415, 'unsupported_media_type'] },
    { name: 'no body', send: form(''), refused: [400, 'upload_incomplete'] },
    { name: 'another boundary', send: form('--c\r\n\r\n--c--\r\n'), refused: [400, 'upload_incomplete'] },
    { name: '100 KiB before the first boundary', send: form('x'.repeat(100_000) + part(fileHead, 'x') + '--b--\r\n'), refused: [400, 'invalid_request'] },
    { name: 'no parts', send: form('--b--\r\n'), refused: [400, 'invalid_request'] },
    { name: 'no file', send: fields([{ name: 'on_conflict', value: 'fail' }]), refused: [400, 'invalid_request'] },
    { name: 'a file without a name', send: fields([{ name: 'file', value: 'x' }]), refused: [400, 'invalid_request'] },
    { name: 'no final boundary', send: form(part(fileHead, 'content')), refused: [400, 'upload_incomplete'] },
    { name: 'cut in the header of a part', send: form('--b\r\nContent-Disp'), refused: [400, 'upload_incomplete'] },
    { name: 'cut in the content', send: form(`--b\r\n${fileHead}\r\n\r\nconte`), refused: [400, 'upload_incomplete'] },
    { name: 'cut in the last boundary', send: form(`--b\r\n${fileHead}\r\n\r\ncontent\r\n--b-`), refused: [400, 'upload_incomplete'] },
    { name: 'a part without a disposition', send: form(part('Content-Type: text/plain', 'x') + '--b--\r\n'), refused: [400, 'invalid_request'] },
    { name: 'a header line without a colon', send: form(part('nonsense', 'x') + '--b--\r\n'), refused: [400, 'invalid_request'] },
    { name: 'a header of 1 MiB', send: form(part(`X-Long: ${'x'.repeat(1 << 20)}`, 'x') + '--b--\r\n'), refused: [400, 'invalid_request'] },
    { name: '100,000 header lines', send: form(part('X: y\r\n'.repeat(100_000) + 'X: y', 'x') + '--b--\r\n'), refused: [400, 'invalid_request'] },
    { name: 'an unknown field', send: fields([{ name: 'colour', value: 'red' }, good]), refused: [400, 'invalid_request'] },
    { name: 'a field after the file', send: fields([good, { name: 'on_conflict', value: 'fail' }]), refused: [400, 'invalid_request'] },
    { name: 'a second file', send: fields([good, { ...good, filename: 'second' }]), refused: [400, 'invalid_request'] },
    { name: 'a field of 1 MiB', send: fields([{ name: 'on_conflict', value: 'x'.repeat(1 << 20) }, good]), refused: [413, 'body_too_large'] },
    { name: 'an unknown on_conflict', send: fields([{ name: 'on_conflict', value: 'overwrite' }, good]), refused: [400, 'invalid_request'] },
    { name: 'a modified_at that is no number', send: fields([{ name: 'modified_at', value: 'yesterday' }, good]), refused: [400, 'invalid_request'] },
    { name: 'a base_version of 0', send: fields([{ name: 'base_version', value: '0' }, good]), refused: [400, 'invalid_request'] },
    { name: 'a parent_id that is none', send: fields([{ name: 'parent_id', value: 'up' }, good]), refused: [400, 'invalid_id'] },
    { name: 'a parent that does not exist', send: () => fields([{ name: 'parent_id', value: api.newId() }, good])(), refused: [404, 'not_found'] },
    { name: 'a parent that is a file', send: () => fields([{ name: 'parent_id', value: file.id }, good])(), refused: [404, 'not_found'] },
    { name: "a parent in another user's space", send: () => fields([{ name: 'parent_id', value: stranger.root }, good])(), refused: [404, 'not_found'] },
    { name: 'a file over the limit of the plan', send: () => api.uploadReply('big', Buffer.alloc(6 << 20)), refused: [413, 'file_too_large'] },
  ])
})

describe('ids, queries, cursors, ranges', () => {
  refuses([
    ...['a', 'x'.repeat(43) + 'y', '%00', '..%2f..%2fetc%2fpasswd', 'я'.repeat(5), '!'.repeat(43)].map((id): Case => ({
      name: `the id ${id}`, send: call('GET', `/api/files/${encodeURI(id).replace(/%25/g, '%')}/metadata`), refused: [400, 'invalid_id'],
    })),
    { name: 'an id that nothing has', send: call('GET', () => `/api/files/${api.newId()}/metadata`), refused: [404, 'not_found'] },
    { name: 'an id in another space', send: call('GET', () => `/api/files/${stranger.root}/metadata`), refused: [404, 'not_found'] },
    { name: 'a broken escape in the path', send: call('GET', '/api/files/%zz'), refused: [400, 'invalid_request'] },
    ...['0', '-1', '1001', 'x', '1e3', '', '99999999999999999999'].map((limit): Case => ({
      name: `limit=${limit}`, send: call('GET', `/api/files?limit=${limit}`), refused: [400, 'invalid_request'],
    })),
    ...['0', '10001', 'x'].map((limit): Case => ({ name: `changes limit=${limit}`, send: call('GET', `/api/sync/changes?limit=${limit}`), refused: [400, 'invalid_request'] })),
    { name: 'an unknown sort', send: call('GET', '/api/files?sort=colour'), refused: [400, 'invalid_request'] },
    { name: 'a list cursor that is none', send: call('GET', '/api/files?cursor=AAAA'), refused: [400, 'cursor_invalid'] },
    { name: 'a trash cursor that is none', send: call('GET', '/api/trash?cursor=%21%21'), refused: [400, 'cursor_invalid'] },
    { name: 'a sync cursor that is none', send: call('GET', '/api/sync/changes?cursor=%00%ff'), refused: [400, 'cursor_invalid'] },
    { name: 'a sync cursor of 100 KiB', send: call('GET', `/api/sync/changes?cursor=${'A'.repeat(10_000)}`), refused: [400, 'cursor_invalid'] },
    { name: 'a sync cursor of another space', send: async () => api.call('GET', `/api/sync/changes?cursor=${(await stranger.replay()).cursor}`), refused: [400, 'cursor_invalid'] },
    { name: 'a space that is none', send: call('GET', '/api/sync/changes?space=mine'), refused: [400, 'invalid_id'] },
    { name: 'a space of another user', send: call('GET', () => `/api/sync/changes?space=${stranger.space}`), refused: [404, 'not_found'] },
    { name: 'a version that is no number', send: call('GET', () => `/api/files/${file.id}/versions/one`), refused: [400, 'invalid_request'] },
    { name: 'a version that is not there', send: call('GET', () => `/api/files/${file.id}/versions/99`), refused: [404, 'not_found'] },
    { name: 'the content of a folder', send: call('GET', () => `/api/files/${folder.id}`), refused: [400, 'invalid_request'] },
    { name: 'a listing of a file', send: call('GET', () => `/api/files?parent_id=${file.id}`), refused: [400, 'invalid_request'] },
    { name: 'permanent=maybe', send: call('DELETE', () => `/api/files/${file.id}?permanent=maybe`), refused: [400, 'invalid_request'] },
    { name: 'a range beyond the end', send: () => api.call('GET', `/api/files/${file.id}`, { headers: { range: 'bytes=100-' } }), refused: [416, 'range_invalid'] },
    { name: 'a range of no bytes', send: () => api.call('GET', `/api/files/${file.id}`, { headers: { range: 'bytes=-0' } }), refused: [416, 'range_invalid'] },
    { name: 'a session id that is none', send: call('DELETE', '/api/auth/sessions/x'), refused: [400, 'invalid_id'] },
    { name: 'a session that is not there', send: call('DELETE', '/api/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA'), refused: [404, 'not_found'] },
  ])

  test.each(['bytes=5-2', 'bytes=a-b', 'bytes=', 'lines=1-2', 'bytes=0-1,3-4', 'bytes=99999999999999999999-'])('the range "%s" is ignored or refused', async (range) => {
    const reply = await api.call('GET', `/api/files/${file.id}`, { headers: { range } })
    if (reply.status !== 416) expect([reply.status, reply.body.toString()]).toEqual([200, 'content'])
  })
})

describe('changes that cannot be', () => {
  refuses([
    { name: 'a stale rename', send: call('PATCH', () => `/api/files/${folder.id}`, () => ({ base_seq: folder.seq - 1, filename: 'z' })), refused: [412, 'stale_base'] },
    { name: 'a negative base', send: call('PATCH', () => `/api/files/${folder.id}`, { base_seq: -1, filename: 'z' }), refused: [400, 'invalid_request'] },
    { name: 'a folder into itself', send: call('PATCH', () => `/api/files/${folder.id}`, () => ({ base_seq: folder.seq, parent_id: folder.id })), refused: [409, 'cycle'] },
    { name: 'a name that is taken', send: call('POST', '/api/files/folders', { filename: 'folder' }), refused: [409, 'name_taken'] },
    { name: 'a move to another space', send: call('PATCH', () => `/api/files/${file.id}`, () => ({ base_seq: file.seq, parent_id: stranger.root })), refused: [400, 'invalid_request'] },
    { name: 'a rename of the root', send: call('PATCH', () => `/api/files/${api.root}`, {}), refused: [400, 'invalid_request'] },
    { name: 'a delete of the root', send: call('DELETE', () => `/api/files/${api.root}`), refused: [403, 'forbidden'] },
    { name: 'a stale delete', send: call('DELETE', () => `/api/files/${file.id}?base_seq=${file.seq - 1}`), refused: [412, 'stale_base'] },
    { name: 'a stale restore of a version', send: call('POST', () => `/api/files/${file.id}/versions/1/restore`, { base_version: 7 }), refused: [412, 'stale_base'] },
    { name: 'a restore of a version that is not there', send: call('POST', () => `/api/files/${file.id}/versions/9/restore`, { base_version: 1 }), refused: [404, 'not_found'] },
    { name: 'an unknown on_conflict', send: call('POST', () => `/api/files/${file.id}/copy`, { on_conflict: 'version' }), refused: [400, 'invalid_request'] },
  ])
})

describe('accounts', () => {
  const register = (json: unknown) => () => api.call('POST', '/api/auth/register', { json, token: null })
  refuses([
    ...['', 'x', '@', 'a@', 'a b@c.de', 'a@b\n.de', `${'x'.repeat(250)}@example.org`].map((email): Case => ({
      name: `the address ${JSON.stringify(email.slice(0, 20))}`, send: register({ email, password }), refused: [400, 'invalid_request'],
    })),
    { name: 'a short password', send: register({ email: 'a@example.org', password: '1234567' }), refused: [422, 'password_weak'] },
    { name: 'a common password', send: register({ email: 'a@example.org', password: 'password' }), refused: [422, 'password_weak'] },
    { name: 'the address as the password', send: register({ email: 'abcdefgh@example.org', password: 'abcdefgh@example.org' }), refused: [422, 'password_weak'] },
    { name: 'a password of 100 KB', send: register({ email: 'a@example.org', password: 'x'.repeat(100_000) }), refused: [413, 'body_too_large'] },
    { name: 'a password of 300 bytes', send: register({ email: 'a@example.org', password: 'x'.repeat(300) }), refused: [400, 'invalid_request'] },
    { name: 'an address that is taken', send: () => register({ email: api.email, password })(), refused: [409, 'email_taken'] },
    { name: 'an address that is taken, in capitals', send: () => register({ email: api.email.toUpperCase(), password })(), refused: [409, 'email_taken'] },
    { name: 'a locale that is none', send: register({ email: 'a@example.org', password, locale: '../../etc' }), refused: [400, 'invalid_request'] },
    { name: 'a wrong password', send: () => api.call('POST', '/api/auth/login', { json: { email: api.email, password: 'wrong password' }, token: null }), refused: [401, 'credentials_invalid'] },
    { name: 'an account that is not there', send: () => api.call('POST', '/api/auth/login', { json: { email: 'nobody@example.org', password }, token: null }), refused: [401, 'credentials_invalid'] },
    { name: 'a wrong current password', send: call('POST', '/api/auth/password', { current_password: 'wrong password', new_password: 'quite another one' }), refused: [403, 'forbidden'] },
    { name: 'a weak new password', send: call('POST', '/api/auth/password', { current_password: password, new_password: 'short' }), refused: [422, 'password_weak'] },
    { name: 'a refresh token that is none', send: () => api.call('POST', '/api/auth/refresh', { json: { refresh_token: 'AAAA' }, token: null }), refused: [401, 'token_invalid'] },
    { name: 'a refresh token changed in one letter', send: () => api.call('POST', '/api/auth/refresh', { json: { refresh_token: flip(api.refreshToken) }, token: null }), refused: [401, 'token_invalid'] },
    { name: 'no refresh token', send: () => api.call('POST', '/api/auth/refresh', { json: {}, token: null }), refused: [401, 'unauthorized'] },
  ])
})

function flip(token: string): string {
  const at = token.length - 10
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

function encode(value: object): string {
  return base64url(Buffer.from(JSON.stringify(value)))
}

describe('tokens', () => {
  const claims = () => JSON.parse(Buffer.from(String(api.token?.split('.')[1]), 'base64url').toString()) as Record<string, unknown>
  const header = () => JSON.parse(Buffer.from(String(api.token?.split('.')[0]), 'base64url').toString()) as Record<string, unknown>
  const signed = (head: object, body: object, key: string) => {
    const text = `${encode(head)}.${encode(body)}`
    return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
  }
  const tokens: [string, () => string][] = [
    ['nonsense', () => 'nonsense'],
    ['empty parts', () => '..'],
    ['64 KB', () => 'a.'.repeat(5_000)],
    ['a signature changed in one letter', () => flip(String(api.token))],
    ['the claims of another user', () => {
      const [head, , signature] = String(api.token).split('.')
      return [head, String(stranger.token).split('.')[1], signature].join('.')
    }],
    ['a later expiry', () => {
      const [head, , signature] = String(api.token).split('.')
      return [head, encode({ ...claims(), exp: 4_000_000_000 }), signature].join('.')
    }],
    ['another key', () => signed(header(), { ...claims(), exp: 4_000_000_000 }, 'secret')],
    ['an empty key', () => signed(header(), { ...claims(), exp: 4_000_000_000 }, '')],
    ['alg none', () => `${encode({ ...header(), alg: 'none' })}.${encode(claims())}.`],
    ['alg None with the old signature', () => `${encode({ ...header(), alg: 'None' })}.${encode(claims())}.${String(api.token).split('.')[2]}`],
    ['alg HS512', () => `${encode({ ...header(), alg: 'HS512' })}.${encode(claims())}.${String(api.token).split('.')[2]}`],
    ['an unknown key id', () => signed({ ...header(), kid: '../../dev/null' }, claims(), '')],
    ['no signature', () => String(api.token).split('.').slice(0, 2).join('.') + '.'],
    ['a refresh token', () => api.refreshToken],
  ]
  test.each(tokens)('%s', async (_, token) => {
    const reply = await api.call('GET', '/api/auth/me', { token: token() })
    expect([reply.status, reply.code]).toEqual([401, 'token_invalid'])
    const upload = await api.call('POST', '/api/files/upload', { ...multipart([{ name: 'file', value: 'x', filename: 'x' }]), token: token() })
    expect(upload.status).toBe(401)
  })
  test.each(['Basic YTpi', 'Bearer', 'bearer', 'Token x'])('the header "%s"', async (authorization) => {
    const reply = await api.call('GET', '/api/auth/me', { headers: { authorization }, token: null })
    expect(reply.status).toBe(401)
  })
  test('none', async () => {
    expect((await api.call('GET', '/api/auth/me', { token: null })).code).toBe('unauthorized')
    // Browsers cannot set headers of a socket, so a token in the address might be tempting: it is not taken.
    expect((await api.call('GET', `/api/auth/me?access_token=${api.token}`, { token: null })).code).toBe('unauthorized')
  })
  test('of another user: nothing of the file is told or changed', async () => {
    const { url } = (await stranger.must('POST', `/api/files/${(await stranger.upload(`own-${randomUUID()}`, 'own')).id}/download-url`)).json<{ url: string }>()
    const ticket = url.split('ticket=')[1]
    const requests: [string, string, unknown?][] = [
      ['GET', `/api/files/${file.id}`],
      ['HEAD', `/api/files/${file.id}`],
      ['GET', `/api/files/${file.id}/metadata`],
      ['GET', `/api/files/${file.id}/versions`],
      ['GET', `/api/files/${file.id}/versions/1`],
      ['GET', `/api/files?parent_id=${folder.id}`],
      ['PATCH', `/api/files/${file.id}`, { base_seq: file.seq, filename: 'stolen' }],
      ['DELETE', `/api/files/${file.id}`],
      ['DELETE', `/api/files/${file.id}?permanent=true`],
      ['POST', `/api/files/${file.id}/copy`, {}],
      ['POST', `/api/files/${file.id}/download-url`],
      ['POST', `/api/files/${file.id}/versions/1/restore`, { base_version: 1 }],
      ['POST', `/api/trash/${file.id}/restore`],
      ['POST', '/api/files/folders', { parent_id: folder.id, filename: 'intruder' }],
      ['GET', `/api/sync/changes?space=${api.space}`],
      ['POST', '/api/sync/commit', { space: api.space, key: 'k', operations: [] }],
      ['POST', '/api/sync/chunks/missing', { space: api.space, chunks: [] }],
      ['POST', '/api/sync/chunks/fetch', { space: api.space, chunks: [] }],
      ['POST', '/api/sync/manifests', { space: api.space, files: [] }],
    ]
    for (const [method, target, json] of requests) {
      const reply = await stranger.call(method, target, json === undefined ? {} : { json })
      expect([reply.status, method === 'HEAD' ? '' : reply.code], `${method} ${target}`).toEqual([404, method === 'HEAD' ? '' : 'not_found'])
    }
    expect((await stranger.call('GET', `/api/files/${file.id}?ticket=${ticket}`, { token: null })).status).toBe(401)
    expect((await stranger.storeChunks(endFrame, {}, api.space)).status).toBe(404)
  })
  test('nobody claims content by knowing its hash', async () => {
    const content = noise(100_000, 'secret')
    const owner = await Api.register(server)
    await owner.commit([await owner.put('secret', content)])
    const chunked = new ChunkedContent(content)
    const missing = await stranger.post<{ missing: string[] }>('/api/sync/chunks/missing', { space: stranger.space, chunks: chunked.names })
    expect(missing.missing).toEqual(chunked.names)
    const committed = await stranger.commit([chunked.operation(stranger.newId(), stranger.root, 'stolen')])
    expect(committed.results[0]?.code).toBe('chunk_unknown')
  })
})

describe('chunk streams', () => {
  const bytes = noise(10_000, 'chunk')
  const name = chunkBytesName(bytes)
  const other = noise(10_000, 'other')
  const good = { name: chunkBytesName(other), bytes: other }
  const stream = (body: Buffer, headers = {}) => () => api.storeChunks(body, headers)
  afterEach(async () => {
    const names = [base64url(name), base64url(good.name)]
    expect((await api.post<{ missing: string[] }>('/api/sync/chunks/missing', { space: api.space, chunks: names })).missing).toEqual(names)
  })
  refuses([
    { name: 'bytes of another hash', send: stream(chunkStream([good, { name, bytes: Buffer.from('else') }])), refused: [422, 'chunk_hash_mismatch'] },
    { name: 'an unknown format byte', send: stream(chunkStream([good, { name: Buffer.concat([Buffer.from([2]), name.subarray(1)]), bytes }])), refused: [422, 'chunk_hash_mismatch'] },
    { name: 'no end frame', send: stream(chunkStream([good]).subarray(0, -37)), refused: [400, 'chunk_frame_invalid'] },
    { name: 'nothing', send: stream(Buffer.alloc(0)), refused: [400, 'chunk_frame_invalid'] },
    { name: 'cut in a frame', send: stream(chunkStream([good, { name, bytes }]).subarray(0, 15_000)), refused: [400, 'chunk_frame_invalid'] },
    { name: 'cut in a name', send: stream(chunkStream([good]).subarray(0, -20)), refused: [400, 'chunk_frame_invalid'] },
    { name: 'bytes after the end', send: stream(Buffer.concat([chunkStream([good]), Buffer.from('more')])), refused: [400, 'chunk_frame_invalid'] },
    { name: 'a frame of 8 MiB and a byte', send: stream(frame(name, Buffer.alloc(100), (8 << 20) + 1)), refused: [400, 'chunk_frame_invalid'] },
    { name: 'a frame that says it is missing', send: stream(Buffer.concat([frame(name, Buffer.alloc(0), 0xffffffff), endFrame])), refused: [400, 'chunk_frame_invalid'] },
    { name: 'another type', send: stream(chunkStream([good]), { 'content-type': 'application/octet-stream' }), refused: [415, 'unsupported_media_type'] },
    { name: 'a space that is none', send: () => api.storeChunks(chunkStream([good]), {}, 'x'), refused: [400, 'invalid_id'] },
    { name: 'over 64 MiB', send: () => tooMuch(), refused: [413, 'body_too_large'] },
    { name: 'names that are none', send: call('POST', '/api/sync/chunks/missing', () => ({ space: api.space, chunks: ['x'] })), refused: [400, 'invalid_request'] },
    { name: 'too many names', send: call('POST', '/api/sync/chunks/missing', () => ({ space: api.space, chunks: Array<string>(10_001).fill(base64url(name)) })), refused: [400, 'invalid_request'] },
  ])

  async function tooMuch(): Promise<Reply> {
    const raw = new RawSocket(server.port)
    await raw.send(`POST /api/sync/chunks?space=${api.space} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.token}\r\nContent-Type: application/vnd.clouddocs.chunks\r\nContent-Length: ${80 << 20}\r\nExpect: 100-continue\r\n\r\n`)
    const reply = await raw.read()
    raw.destroy()
    if (!reply) throw new Error('no answer')
    return reply
  }
})

describe('batches', () => {
  const commit = (operations: () => unknown[], fields: object = {}) => () =>
    api.call('POST', '/api/sync/commit', { json: { space: api.space, key: randomUUID(), operations: operations(), ...fields } })
  const mkdir = (fields: object = {}) => ({ op: 'mkdir', id: api.newId(), parent_id: api.root, filename: 'm', ...fields })
  const put = (fields: object = {}) => ({ ...new ChunkedContent(Buffer.alloc(0)).operation(api.newId(), api.root, 'p'), ...fields })
  const unknown = base64url(Buffer.concat([Buffer.from([1]), Buffer.alloc(32, 9)]))
  refuses([
    { name: 'a key with a space', send: commit(() => [], { key: 'a b' }), refused: [400, 'invalid_request'] },
    { name: 'an empty key', send: commit(() => [], { key: '' }), refused: [400, 'invalid_request'] },
    { name: 'a key of 65 letters', send: commit(() => [], { key: 'k'.repeat(65) }), refused: [400, 'invalid_request'] },
    { name: 'a space that is none', send: commit(() => [], { space: 'x' }), refused: [400, 'invalid_id'] },
    { name: '1,001 operations', send: commit(() => Array.from({ length: 1001 }, (_, i) => mkdir({ filename: `m${i}` }))), refused: [400, 'invalid_request'] },
    { name: 'an unknown operation', send: commit(() => [mkdir(), { op: 'format', id: api.newId() }]), refused: [400, 'invalid_request'] },
    { name: 'an operation that is no object', send: commit(() => [mkdir(), 7]), refused: [400, 'invalid_request'] },
    { name: 'an operation without its id', send: commit(() => [mkdir(), mkdir({ id: undefined })]), refused: [400, 'invalid_request'] },
    { name: 'an id that is none', send: commit(() => [mkdir({ id: 'x' })]), refused: [400, 'invalid_id'] },
    { name: "an id of another user's space", send: commit(() => [mkdir({ id: stranger.newId() })]), refused: [400, 'invalid_request'] },
    { name: "a parent in another user's space", send: commit(() => [mkdir({ parent_id: stranger.root })]), refused: [400, 'invalid_request'] },
    { name: 'a negative base', send: commit(() => [put({ base_version: -1 })]), refused: [400, 'invalid_request'] },
    { name: 'a hash of 63 digits', send: commit(() => [put({ sha256: 'a'.repeat(63) })]), refused: [400, 'invalid_request'] },
    { name: 'a level of 99', send: commit(() => [put({ level: 99 })]), refused: [400, 'invalid_request'] },
    { name: 'a chunk of negative size', send: commit(() => [put({ chunks: [[unknown, -5]] })]), refused: [400, 'invalid_request'] },
    { name: '65 inline chunks', send: commit(() => [put({ size: 65, chunks: Array<unknown>(65).fill([unknown, 1]) })]), refused: [400, 'invalid_request'] },
    { name: 'chunks that do not add up to the size', send: commit(() => [put({ size: 5, chunks: [[unknown, 4]] })]), refused: [422, 'length_mismatch'] },
    { name: 'a size of 2^63', send: commit(() => [put({ size: 9.3e18 })]), refused: [400, 'invalid_request'] },
    { name: 'a cursor as "seen" that is none', send: commit(() => [{ op: 'delete', id: folder.id, base_seq: folder.seq, seen: 'x' }]), refused: [400, 'cursor_invalid'] },
    { name: 'a body over the limit', send: () => api.call('POST', '/api/sync/commit', { body: Buffer.alloc(17 << 20, ' '), headers: { 'content-type': 'application/json' } }), refused: [413, 'body_too_large'] },
  ])

  // These are refused one by one, inside a batch that is taken.
  const operations: [string, () => Promise<object> | object, [number, string]][] = [
    ['a chunk that is not there', () => put({ size: 4, chunks: [[unknown, 4]] }), [422, 'chunk_unknown']],
    ['a manifest node that is not there', () => put({ size: 4, level: 1, chunks: [[unknown, 4]] }), [422, 'chunk_unknown']],
    ['a chunk of another size than it has', async () => {
      const operation = (await api.put('sized', 'four')) as { chunks: [string, number][] }
      return { ...operation, size: 5, chunks: [[operation.chunks[0]?.[0], 5]] }
    }, [422, 'chunk_unknown']],
    ['an empty link target', () => ({ op: 'symlink', id: api.newId(), parent_id: api.root, filename: 'l', target: '', modified_at: 1, base_seq: 0 }), [400, 'invalid_request']],
    ['a stale base', () => put({ id: file.id, base_version: 7 }), [412, 'stale_base']],
    ['a new file over an old one', () => put({ parent_id: folder.id, filename: 'file' }), [409, 'name_taken']],
    ['an id that is in use', () => mkdir({ id: file.id }), [409, 'id_taken']],
    ['a folder below itself', () => ({ op: 'move', id: folder.id, parent_id: folder.id, filename: 'f', base_seq: folder.seq }), [409, 'cycle']],
    ['a parent that is not there', () => mkdir({ parent_id: api.newId() }), [404, 'gone']],
    ['a parent that is a file', () => mkdir({ parent_id: file.id }), [400, 'invalid_request']],
    ['a delete of what is not there', () => ({ op: 'delete', id: api.newId(), base_seq: 1 }), [404, 'gone']],
    ['a delete of the root', async () => ({ op: 'delete', id: api.root, base_seq: (await api.metadata(api.root)).seq }), [403, 'forbidden']],
  ]
  test.each(operations)('%s', async (_, make, refused) => {
    const committed = await api.commit([await make()])
    expect([committed.results[0]?.status, committed.results[0]?.code], JSON.stringify(committed.results)).toEqual(refused)
    before = before.replace(/"cursor":"[^"]*"/, `"cursor":"${(await api.replay()).cursor}"`)
  })
  test('a key with another body', async () => {
    const key = randomUUID()
    await api.commit([], key)
    const reply = await api.commitReply([mkdir()], key)
    expect([reply.status, reply.code]).toEqual([422, 'key_reused'])
    before = before.replace(/"cursor":"[^"]*"/, `"cursor":"${(await api.replay()).cursor}"`)
  })
  test('one operation that fails takes only those that depend on it along', async () => {
    const device = await Api.register(server)
    const lost = device.newId()
    const committed = await device.commit([
      { op: 'mkdir', id: device.newId(), parent_id: device.root, filename: 'first' },
      { op: 'mkdir', id: lost, parent_id: device.root, filename: 'first' },
      { op: 'mkdir', id: device.newId(), parent_id: lost, filename: 'below' },
      { op: 'mkdir', id: device.newId(), parent_id: device.root, filename: 'last' },
    ])
    expect(committed.results.map((result) => result.code ?? 'ok')).toEqual(['ok', 'name_taken', 'dependency_failed', 'ok'])
    expect((await device.list()).items.map((item) => item.filename)).toEqual(['first', 'last'])
  })
})

describe('HTTP itself', () => {
  const get = (lines: string, target = '/api/auth/me') => `GET ${target} HTTP/1.1\r\nHost: x\r\n${lines}\r\n`
  const post = (lines: string, body: string) => () =>
    `POST /api/files/folders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.token}\r\nContent-Type: application/json\r\n${lines}\r\n${body}`
  const body = '{"filename":"smuggled"}'
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`
  const cases: [string, string | (() => string), number[]][] = [
    ['a header of 64 KiB', get(`X-Long: ${'x'.repeat(65_536)}\r\n`), [431]],
    ['10,000 headers', get('X: y\r\n'.repeat(10_000)), [431]],
    ['an address of 64 KiB', get('', '/' + 'x'.repeat(65_536)), [431, 414]],
    ['Content-Length and Transfer-Encoding', post(`Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n`, chunk(body)), [400]],
    ['Transfer-Encoding and Content-Length', post(`Transfer-Encoding: chunked\r\nContent-Length: ${body.length}\r\n`, chunk(body)), [400]],
    ['two Content-Lengths', post(`Content-Length: ${body.length}\r\nContent-Length: 5\r\n`, body), [400]],
    ['two equal Content-Lengths', post(`Content-Length: ${body.length}\r\nContent-Length: ${body.length}\r\n`, body), [400]],
    ['a list as Content-Length', post(`Content-Length: ${body.length}, ${body.length}\r\n`, body), [400]],
    ['a Content-Length with a sign', post(`Content-Length: +${body.length}\r\n`, body), [400]],
    ['a negative Content-Length', post('Content-Length: -1\r\n', body), [400]],
    ['a Content-Length over 64 bits', post('Content-Length: 99999999999999999999999\r\n', body), [400]],
    ['a hexadecimal Content-Length', post('Content-Length: 0x17\r\n', body), [400]],
    ['Transfer-Encoding twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', chunk(body)), [400]],
    ['Transfer-Encoding: identity, chunked', post('Transfer-Encoding: identity, chunked\r\n', chunk(body)), [400, 501]],
    ['Transfer-Encoding: xchunked', post('Transfer-Encoding: xchunked\r\n', chunk(body)), [400, 501]],
    ['a chunk size that is none', post('Transfer-Encoding: chunked\r\n', `zz\r\n${body}\r\n0\r\n\r\n`), [400]],
    ['a negative chunk size', post('Transfer-Encoding: chunked\r\n', `-5\r\n${body}\r\n0\r\n\r\n`), [400]],
    ['a chunk size over 64 bits', post('Transfer-Encoding: chunked\r\n', `11111111111111111\r\n${body}\r\n0\r\n\r\n`), [400]],
    ['a chunk longer than it says', post('Transfer-Encoding: chunked\r\n', `5\r\n${body}\r\n0\r\n\r\n`), [400]],
    ['a chunk extension of 1 MiB', post('Transfer-Encoding: chunked\r\n', `17;${'x'.repeat(1 << 20)}\r\n${body}\r\n0\r\n\r\n`), [400]],
    ['a bare LF', 'GET /healthz HTTP/1.1\nHost: x\n\n', [400]],
    ['a folded header', get('X-Folded: a\r\n b\r\n'), [400]],
    ['a space before the colon', get('X-Space : a\r\n'), [400]],
    ['a header without a name', get(': a\r\n'), [400]],
    ['a NUL in a header', get('X-Nul: a\0b\r\n'), [400]],
    ['a NUL in the path', 'GET /api/files/\0 HTTP/1.1\r\nHost: x\r\n\r\n', [400]],
    ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', [400]],
    ['two Hosts', 'GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', [400]],
    ['HTTP/2.0', 'GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n', [505, 400]],
    ['no version', 'GET /healthz\r\nHost: x\r\n\r\n', [400]],
    ['TLS', Buffer.from('160301020001000001fc0303', 'hex').toString('latin1') + '\n\n', [400]],
    ['nonsense', 'hello\r\n\r\n', [400]],
  ]
  test.each(cases)('%s', async (_, request, statuses) => {
    const reply = await ask(server.port, typeof request === 'string' ? request : request())
    expect(statuses).toContain(reply.status)
  })

  test('a chunk body in pieces of one byte is taken as a whole, and a bare name in it refused', async () => {
    const raw = new RawSocket(server.port)
    await raw.send(`POST /api/files/folders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`)
    for (const letter of '{"filename":".."}') await raw.send(`1\r\n${letter}\r\n`)
    await raw.send('0\r\n\r\n')
    expect((await raw.read())?.code).toBe('invalid_name')
    raw.destroy()
  })

  test('a body shorter than declared is refused, and one longer does not become a request', async () => {
    const short = new RawSocket(server.port)
    await short.send(post('Content-Length: 100\r\n', body)())
    short.socket.end()
    const reply = await short.read()
    expect([reply?.status, reply?.code]).toEqual([400, 'upload_incomplete'])
    const long = new RawSocket(server.port)
    await long.send(post('Content-Length: 16\r\n', '{"filename":"x/"}' + 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')())
    expect((await long.read())?.status).toBe(400)
    const rest = await long.read().catch(() => undefined)
    expect(rest?.status ?? 400).toBe(400)
    long.destroy()
  })

  test('the answers carry the security headers', async () => {
    for (const target of ['/healthz', '/api/nothing', '/']) {
      const { headers } = await fetch(server.url + target)
      expect(headers.get('x-content-type-options'), target).toBe('nosniff')
      expect(headers.get('content-security-policy'), target).toContain("default-src 'self'")
    }
  })
})

describe('the socket', () => {
  test('an upgrade with a bad token, and none', async () => {
    const upgrade = (lines: string) => `GET /api/sync/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${lines}\r\n`
    expect((await ask(server.port, upgrade('Authorization: Bearer nonsense\r\n'), '/api/sync/ws')).code).toBe('token_invalid')
    const plain = await ask(server.port, `GET /api/sync/ws HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.token}\r\n\r\n`, '/api/sync/ws')
    expect([400, 426]).toContain(plain.status)
    const key = await ask(server.port, upgrade('').replace('Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n', ''), '/api/sync/ws')
    expect([400, 426]).toContain(key.status)
  })
})
