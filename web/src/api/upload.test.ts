import { beforeEach, describe, expect, it, vi } from 'vitest'
import { makeCloud } from '@/testing/render-app'
import { session } from './session'
import { uploadFile, type UploadRequest } from './upload'

class FakeXhr extends EventTarget {
  static sent: FakeXhr[] = []
  readonly upload = new EventTarget()
  readonly headers: Record<string, string> = {}
  status = 0
  responseText = ''
  form = new FormData()
  open = vi.fn()
  setRequestHeader(name: string, value: string) {
    this.headers[name] = value
  }
  getResponseHeader = () => null
  send(form: FormData) {
    this.form = form
    FakeXhr.sent.push(this)
  }
  abort() {
    this.dispatchEvent(new Event('abort'))
  }
  answer(status: number, json: object) {
    Object.assign(this, { status, responseText: JSON.stringify(json) })
    this.dispatchEvent(new Event('load'))
  }
}

const sent = async (count: number) => {
  await vi.waitFor(() => expect(FakeXhr.sent).toHaveLength(count))
  return FakeXhr.sent[count - 1] as FakeXhr
}

function request(fields: Partial<UploadRequest> = {}): UploadRequest {
  const file = new File(['hello'], 'a.txt', { lastModified: 1_700_000_000_123 })
  return { file, parentId: 'p', conflict: { kind: 'fail' }, onProgress: vi.fn(), signal: new AbortController().signal, ...fields }
}

beforeEach(async () => {
  FakeXhr.sent = []
  vi.stubGlobal('XMLHttpRequest', FakeXhr)
  makeCloud()
  await session.start()
})

describe('uploadFile', () => {
  it('sends the fields before the file, times in microseconds', async () => {
    const onProgress = vi.fn()
    const upload = uploadFile(request({ onProgress, conflict: { kind: 'version', baseVersion: 3 } }))
    const xhr = await sent(1)
    expect([...xhr.form.keys()]).toEqual(['parent_id', 'on_conflict', 'base_version', 'modified_at', 'file'])
    expect(xhr.form.get('modified_at')).toBe('1700000000123000')
    xhr.upload.dispatchEvent(Object.assign(new Event('progress'), { loaded: 400 }))
    expect(onProgress).toHaveBeenCalledWith(5)
    xhr.answer(201, { id: 'x' })
    expect(await upload).toEqual({ id: 'x' })
  })

  it('refreshes a refused token once', async () => {
    const upload = uploadFile(request())
    ;(await sent(1)).answer(401, { code: 'token_expired' })
    const second = await sent(2)
    expect(second.headers['Authorization']).not.toBe(FakeXhr.sent[0]?.headers['Authorization'])
    second.answer(507, { code: 'quota_exceeded', detail: 'Full.' })
    await expect(upload).rejects.toMatchObject({ status: 507, code: 'quota_exceeded' })
  })

  it('reports a broken connection and obeys the signal', async () => {
    const broken = uploadFile(request())
    ;(await sent(1)).dispatchEvent(new Event('error'))
    await expect(broken).rejects.toMatchObject({ code: 'network' })

    const controller = new AbortController()
    const cancelled = uploadFile(request({ signal: controller.signal }))
    await sent(2)
    controller.abort()
    await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' })
    await expect(uploadFile(request({ signal: controller.signal }))).rejects.toMatchObject({ name: 'AbortError' })
  })
})
