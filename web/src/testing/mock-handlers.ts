import { http, HttpResponse, type HttpHandler } from 'msw'
import type { components, paths } from '../api/schema.gen'
import { Refusal, rootId, type Item, type MockCloud } from './mock-cloud.ts'

type Login = components['schemas']['Login']
type Listing = components['schemas']['Listing']
type Body<Path extends keyof paths> = paths[Path] extends { post: { requestBody?: { content: { 'application/json': infer B } } } } ? B : never

// The contract's endpoints over a MockCloud, as far as the web app uses them.
export function mockHandlers(cloud: MockCloud): HttpHandler[] {
  const guarded =
    (answer: (context: { request: Request; params: Record<string, string>; query: URLSearchParams }) => Response | Promise<Response>, open = false) =>
    async ({ request, params }: { request: Request; params: object }): Promise<Response> => {
      try {
        if (!open) authorize(cloud, request)
        return await answer({ request, params: params as Record<string, string>, query: new URL(request.url).searchParams })
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        return new HttpResponse(JSON.stringify(error.body), { status: error.body.status, headers: { 'Content-Type': 'application/problem+json' } })
      }
    }
  const item = (value: Item, status = 200) => HttpResponse.json<Item>(value, { status })
  const login = ({ token, user }: ReturnType<MockCloud['refresh']>, status = 200) =>
    HttpResponse.json<Login>({ access_token: token, token_type: 'Bearer', expires_in: 900, user }, { status })

  return [
    http.get('*/api/config', guarded(() => HttpResponse.json({ registration_open: cloud.registrationOpen, version: 'mock' }), true)),
    http.post(
      '*/api/auth/register',
      guarded(async ({ request }) => {
        const { email, password } = (await request.json()) as Body<'/api/auth/register'>
        if (/^(.)\1*$|^password/.test(password)) throw new Refusal(422, 'password_weak')
        cloud.addAccount(email, password)
        cloud.clear()
        return login(cloud.signIn(email), 201)
      }, true),
    ),
    http.post(
      '*/api/auth/login',
      guarded(async ({ request }) => {
        const { email, password } = (await request.json()) as Body<'/api/auth/login'>
        if (cloud.accounts.get(email)?.password !== password) throw new Refusal(401, 'credentials_invalid')
        return login(cloud.signIn(email))
      }, true),
    ),
    http.post('*/api/auth/refresh', guarded(() => login(cloud.refresh()), true)),
    http.post(
      '*/api/auth/logout',
      guarded(() => {
        cloud.cookie = undefined
        cloud.tokens.clear()
        return new HttpResponse(null, { status: 204 })
      }, true),
    ),
    http.get('*/api/auth/me', guarded(() => HttpResponse.json(cloud.user()))),
    http.get(
      '*/api/files',
      guarded(({ query }) => {
        const folder = cloud.live(query.get('parent_id') ?? rootId)
        const limit = Number(query.get('limit') ?? 100)
        const start = Number(query.get('cursor') ?? 0)
        const all = sorted(cloud.children(folder.id), query.get('sort') ?? 'name')
        return HttpResponse.json<Listing>({
          items: all.slice(start, start + limit),
          next_cursor: start + limit < all.length ? String(start + limit) : null,
          folder,
          path: cloud.path(folder),
        })
      }),
    ),
    http.post(
      '*/api/files/folders',
      guarded(async ({ request }) => {
        const { parent_id, filename } = (await request.json()) as Body<'/api/files/folders'>
        return item(cloud.addFolder(filename, parent_id), 201)
      }),
    ),
    http.post(
      '*/api/files/upload',
      guarded(async ({ request }) => {
        const parts = await request.formData()
        const file = parts.get('file') as File
        const content = new Uint8Array(await file.arrayBuffer())
        const stored = cloud.putFile(file.name, content, {
          parentId: String(parts.get('parent_id') ?? rootId),
          onConflict: String(parts.get('on_conflict') ?? 'fail'),
          baseVersion: Number(parts.get('base_version') ?? 0),
          modifiedAt: Number(parts.get('modified_at') ?? Date.now() * 1000),
          mime: file.type || 'application/octet-stream',
        })
        return item(stored, 201)
      }),
    ),
    http.post('*/api/files/:id/download-url', guarded(({ params }) =>
      HttpResponse.json({ url: `/api/files/${cloud.live(params['id'] ?? '').id}?ticket=mock`, expires_at: (Date.now() + 60_000) * 1000 }),
    )),
    http.get(
      '*/api/files/:id',
      guarded(({ params }) => {
        const file = cloud.live(params['id'] ?? '')
        return new HttpResponse(new Blob([(cloud.contents.get(file.id) ?? new Uint8Array(file.size)) as Uint8Array<ArrayBuffer>]), {
          headers: { 'Content-Type': 'application/octet-stream', 'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.filename)}` },
        })
      }, true),
    ),
    http.patch(
      '*/api/files/:id',
      guarded(async ({ request, params }) => {
        const { base_seq, filename } = (await request.json()) as { base_seq: number; filename: string }
        return item(cloud.rename(params['id'] ?? '', base_seq, filename))
      }),
    ),
    http.delete(
      '*/api/files/:id',
      guarded(({ params, query }) => {
        if (query.get('permanent') === 'true') {
          cloud.purge(params['id'] ?? '')
          return new HttpResponse(null, { status: 204 })
        }
        const base = query.get('base_seq')
        return item(cloud.trash(params['id'] ?? '', base === null ? undefined : Number(base)))
      }),
    ),
    http.get('*/api/trash', guarded(() => HttpResponse.json({ items: cloud.trashed(), next_cursor: null }))),
    http.delete(
      '*/api/trash',
      guarded(() => {
        const trashed = cloud.trashed()
        for (const { id } of trashed) cloud.purge(id)
        return HttpResponse.json({ purged: trashed.length })
      }),
    ),
    http.post(
      '*/api/trash/:id/restore',
      guarded(async ({ request, params }) => {
        const { on_conflict } = (await request.json()) as { on_conflict?: string }
        return item(cloud.restore(params['id'] ?? '', on_conflict === 'rename'))
      }),
    ),
  ]
}

function authorize(cloud: MockCloud, request: Request): void {
  const token = request.headers.get('Authorization')?.replace('Bearer ', '')
  if (token === undefined) throw new Refusal(401, 'unauthorized')
  if (!cloud.tokens.has(token)) throw new Refusal(401, 'token_expired')
}

function sorted(items: Item[], sort: string): Item[] {
  const field = sort.replace('-', '')
  const sign = sort.startsWith('-') ? -1 : 1
  const byName = (a: Item, b: Item) => (a.filename.toLowerCase() < b.filename.toLowerCase() ? -1 : 1)
  return items.sort((a, b) => {
    if ((a.kind === 'folder') !== (b.kind === 'folder')) return a.kind === 'folder' ? -1 : 1
    if (field === 'size' || field === 'modified_at') return sign * (a[field] - b[field] || byName(a, b))
    return sign * byName(a, b)
  })
}
