import { describe, expect, it, vi } from 'vitest'
import { Problem } from '@/api/problem'
import type { Item } from '@/api/types'
import type { UploadRequest } from '@/api/upload'
import { UploadList } from './upload-list'

const folder = { id: 'f', name: 'Plans' }
const file = (name: string, size = 4) => new File(['x'.repeat(size)], name)
const item = (fields: Partial<Item>) => ({ kind: 'file', version: 1, ...fields }) as Item

interface Call {
  request: UploadRequest
  resolve: (item: Item) => void
  reject: (error: unknown) => void
}

function make() {
  const calls: Call[] = []
  const list = new UploadList(
    (request) =>
      new Promise<Item>((resolve, reject) => {
        request.signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError')))
        calls.push({ request, resolve, reject })
      }),
  )
  const call = (index: number) => {
    const found = calls[index]
    if (!found) throw new Error(`No call ${index}`)
    return found
  }
  return { list, calls, call, states: () => list.uploads().map((upload) => upload.state) }
}

const settle = () => new Promise((resolve) => setTimeout(resolve))

describe('UploadList', () => {
  it('sends three at once, in order, with progress', async () => {
    const { list, calls, call, states } = make()
    const stored = vi.fn()
    list.onStored(stored)
    list.add(['a', 'b', 'c', 'd'].map((name) => file(name)), folder)
    expect(states()).toEqual(['sending', 'sending', 'sending', 'waiting'])
    call(0).request.onProgress(2)
    expect(list.uploads()[0]?.sent).toBe(2)
    call(0).resolve(item({ filename: 'a' }))
    await settle()
    expect(states()).toEqual(['done', 'sending', 'sending', 'sending'])
    expect(stored).toHaveBeenCalledOnce()
    expect(calls).toHaveLength(4)
    expect(call(3).request).toMatchObject({ parentId: 'f', conflict: { kind: 'fail' } })
  })

  it('asks about a taken name and acts on the decision', async () => {
    const { list, call, states } = make()
    list.add([file('a'), file('b'), file('c')], folder)
    for (const index of [0, 1, 2]) call(index).reject(new Problem({ status: 409, code: 'name_taken', item: item({ version: 7 }) }))
    await settle()
    expect(states()).toEqual(['conflict', 'conflict', 'conflict'])
    list.decide('replace', list.uploads()[0]?.id)
    list.decide('rename', list.uploads()[1]?.id)
    list.decide('skip')
    expect(states()).toEqual(['sending', 'sending', 'cancelled'])
    expect(call(3).request.conflict).toEqual({ kind: 'version', baseVersion: 7 })
    expect(call(4).request.conflict).toEqual({ kind: 'rename' })
  })

  it('asks again when the file changed after the decision, and never replaces a folder', async () => {
    const { list, call, states } = make()
    list.add([file('a')], folder)
    call(0).reject(new Problem({ status: 409, code: 'name_taken', item: item({ version: 7 }) }))
    await settle()
    list.decide('replace')
    call(1).reject(new Problem({ status: 412, code: 'stale_base', item: item({ version: 8 }) }))
    await settle()
    expect(list.uploads()[0]).toMatchObject({ state: 'conflict', changed: true })
    list.decide('replace')
    expect(call(2).request.conflict).toEqual({ kind: 'version', baseVersion: 8 })
    call(2).reject(new Problem({ status: 409, code: 'name_taken', item: item({ kind: 'folder' }) }))
    await settle()
    list.decide('replace')
    expect(states()).toEqual(['conflict'])
  })

  it('cancels, tries again and forgets', async () => {
    const { list, call, states } = make()
    list.add([file('a'), file('b')], folder)
    list.cancel(list.uploads()[0]?.id ?? 0)
    call(1).reject(Problem.network())
    await settle()
    expect(states()).toEqual(['cancelled', 'failed'])
    expect(call(0).request.signal.aborted).toBe(true)
    list.retry(list.uploads()[1]?.id ?? 0)
    expect(states()).toEqual(['cancelled', 'sending'])
    list.clear()
    expect(states()).toEqual(['sending'])
    list.reset()
    expect(states()).toEqual([])
  })

  it('refuses what is over the plan before sending it', () => {
    const { list, calls } = make()
    list.add([file('big', 11)], folder, 10)
    expect(list.uploads()[0]).toMatchObject({ state: 'failed', problem: { code: 'file_too_large' } })
    expect(calls).toHaveLength(0)
  })

  it('waits for a busy server', async () => {
    vi.useFakeTimers()
    const { list, calls, call, states } = make()
    list.add([file('a')], folder)
    call(0).reject(new Problem({ status: 429, code: 'too_many_requests' }, 3))
    await vi.advanceTimersByTimeAsync(2_900)
    expect(calls).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(200)
    expect(calls).toHaveLength(2)
    call(1).reject(new Problem({ status: 503, code: 'unavailable' }))
    await vi.advanceTimersByTimeAsync(10)
    list.cancelAll()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(calls).toHaveLength(2)
    expect(states()).toEqual(['cancelled'])
    vi.useRealTimers()
  })
})
