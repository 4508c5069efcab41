import { screen, waitFor, within } from '@testing-library/react'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem } from '@/api/problem'
import type { UploadRequest } from '@/api/upload'
import { uploadList } from '@/features/uploads/upload-list'
import { Refusal, type MockCloud } from '@/testing/mock-cloud'
import { makeCloud, renderApp } from '@/testing/render-app'

let cloud: MockCloud

// jsdom's multipart bodies do not reach MSW: the request itself is tested in api/upload.test.ts.
vi.mock('@/api/upload', () => ({
  uploadFile: async ({ file, parentId, conflict, onProgress }: UploadRequest) => {
    onProgress(file.size / 2)
    await Promise.resolve()
    try {
      return cloud.putFile(file.name, file.size, {
        ...(parentId !== undefined && { parentId }),
        onConflict: conflict.kind,
        ...(conflict.kind === 'version' && { baseVersion: conflict.baseVersion }),
      })
    } catch (error) {
      throw error instanceof Refusal ? new Problem(error.body) : error
    }
  },
}))

const file = (name: string) => new File(['hello'], name)
const choose = async (user: Awaited<ReturnType<typeof renderApp>>['user'], files: File[]) => {
  await screen.findByRole('heading', { name: 'My files' })
  await user.upload(document.querySelector('input[type=file]') as HTMLInputElement, files)
}
const panel = () => within(screen.getByRole('region', { name: 'Uploads' }))

beforeEach(() => {
  uploadList.reset()
  cloud = makeCloud()
})

describe('uploading', () => {
  it('stores several files and lists them', async () => {
    const { user } = await renderApp('/files')
    await choose(user, [file('a.txt'), file('b.txt')])
    expect(await screen.findByText('2 files uploaded')).toBeVisible()
    await waitFor(() => expect(document.querySelectorAll('[data-row-name]')).toHaveLength(2))
    await user.click(panel().getByRole('button', { name: 'Fold the list' }))
    expect(panel().queryByText('Uploaded to My files')).toBeNull()
    await user.click(panel().getByRole('button', { name: 'Close the list of uploads' }))
    expect(screen.queryByRole('region', { name: 'Uploads' })).toBeNull()
  })

  it('asks about taken names: one by one, or all at once', async () => {
    for (const name of ['a.txt', 'b.txt', 'c.txt']) cloud.putFile(name, 1)
    const { user } = await renderApp('/files')
    await choose(user, [file('a.txt'), file('b.txt'), file('c.txt')])
    expect(await screen.findByText('3 files need a decision')).toBeVisible()
    const leave = new Event('beforeunload', { cancelable: true })
    dispatchEvent(leave)
    expect(leave.defaultPrevented).toBe(true)
    await user.click(within(panel().getAllByRole('listitem')[0] as HTMLElement).getByRole('button', { name: 'Replace' }))
    await waitFor(() => expect(screen.getByText('2 files need a decision')).toBeVisible())
    await user.click(panel().getAllByRole('button', { name: 'Keep both' })[0] as HTMLElement)
    expect(await screen.findByText('3 files uploaded')).toBeVisible()
    expect(cloud.children(cloud.get(cloud.space + '0'.repeat(21)).id).map((item) => [item.filename, item.version])).toEqual([
      ['a.txt', 2],
      ['b.txt', 1],
      ['c.txt', 1],
      ['b (1).txt', 1],
      ['c (1).txt', 1],
    ])
  })

  it('says why an upload failed, and tries again', async () => {
    const put = vi.spyOn(cloud, 'putFile').mockImplementationOnce(() => {
      throw new Refusal(507, 'quota_exceeded')
    })
    const { user } = await renderApp('/files')
    await choose(user, [file('a.txt')])
    expect(await panel().findByRole('alert')).toHaveTextContent(/storage is full/)
    await user.click(panel().getByRole('button', { name: 'Try a.txt again' }))
    expect(await screen.findByText('1 file uploaded')).toBeVisible()
    expect(put).toHaveBeenCalledTimes(2)
  })

  it('skips a file whose name a folder holds', async () => {
    cloud.addFolder('a.txt')
    const { user } = await renderApp('/files')
    await choose(user, [file('a.txt')])
    expect(await panel().findByText('A folder of this name exists.')).toBeVisible()
    expect(panel().queryByRole('button', { name: 'Replace' })).toBeNull()
    await user.click(panel().getByRole('button', { name: 'Skip' }))
    expect(await panel().findByText('Cancelled')).toBeVisible()
  })

  it('ends with the session', async () => {
    cloud.putFile('a.txt', 1)
    const { user } = await renderApp('/files')
    await choose(user, [file('a.txt')])
    await screen.findByText('1 file needs a decision')
    await user.click(screen.getByRole('button', { name: 'Account and settings' }))
    await user.click(await screen.findByRole('menuitem', { name: 'Sign out' }))
    await screen.findByRole('heading', { name: 'Sign in to CloudDocs' })
    expect(uploadList.uploads()).toEqual([])
  })
})
