import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { describe, expect, it, vi } from 'vitest'
import { makeCloud, renderApp } from '@/testing/render-app'
import { FakeSocket } from '@/testing/fake-socket'
import { mockNetwork } from '@/testing/setup'

const name = (text: string) => screen.findByText((_, element) => element?.hasAttribute('data-row-name') === true && element.textContent === text)
const names = () => [...document.querySelectorAll('[data-row-name]')].map((element) => element.textContent)

describe('the file browser', () => {
  it('walks into folders and back along the path', async () => {
    const cloud = makeCloud()
    const outer = cloud.addFolder('Outer')
    const inner = cloud.addFolder('Inner', outer.id)
    cloud.putFile('deep.txt', 3, { parentId: inner.id })
    const { user } = await renderApp('/files')
    await user.click(await name('Outer'))
    await user.click(await name('Inner'))
    expect(await name('deep.txt')).toBeVisible()
    const path = within(screen.getByRole('navigation', { name: 'Folder path' }))
    expect(path.getByRole('heading')).toHaveTextContent('Inner')
    await user.click(path.getByRole('link', { name: 'Outer' }))
    expect(await name('Inner')).toBeVisible()
  })

  it('sorts by a column, and turns it round', async () => {
    const cloud = makeCloud()
    cloud.putFile('a.txt', 1)
    cloud.putFile('b.txt', 3)
    cloud.putFile('c.txt', 2)
    const { user } = await renderApp('/files')
    await name('a.txt')
    expect(screen.getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'ascending')
    await user.click(screen.getByRole('button', { name: 'Size' }))
    await waitFor(() => expect(names()).toEqual(['a.txt', 'c.txt', 'b.txt']))
    await user.click(screen.getByRole('button', { name: 'Size' }))
    await waitFor(() => expect(names()).toEqual(['b.txt', 'c.txt', 'a.txt']))
  })

  it('loads further pages', async () => {
    const cloud = makeCloud()
    for (let n = 0; n < 203; n += 1) cloud.putFile(`f${String(n).padStart(3, '0')}`, 1)
    const { user } = await renderApp('/files')
    await name('f000')
    expect(names()).toHaveLength(200)
    await user.click(screen.getByRole('button', { name: 'Show more' }))
    await waitFor(() => expect(names()).toHaveLength(203), { timeout: 10_000 })
  }, 30_000)

  it('makes a folder and says when the name is taken', async () => {
    makeCloud().addFolder('Plans')
    const { user } = await renderApp('/files')
    await user.click(await screen.findByRole('button', { name: 'New folder' }))
    const field = await screen.findByLabelText('Folder name')
    await user.clear(field)
    await user.type(field, 'a/b')
    expect(field).toHaveAccessibleDescription('A name cannot contain “/”.')
    await user.clear(field)
    await user.type(field, 'Plans{Enter}')
    await waitFor(() => expect(field).toHaveAccessibleDescription(/“Plans” exists/))
    await user.type(field, ' 2{Enter}')
    expect(await name('Plans 2')).toBeVisible()
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  })

  it('renames in place by keyboard', async () => {
    const cloud = makeCloud()
    cloud.putFile('old.txt', 1)
    cloud.putFile('other.txt', 1)
    const { user } = await renderApp('/files')
    ;(await name('old.txt')).focus()
    await user.keyboard('{F2}')
    const field = await screen.findByRole<HTMLInputElement>('textbox', { name: 'New name for old.txt' })
    expect(field.value.slice(field.selectionStart ?? 0, field.selectionEnd ?? 0)).toBe('old')
    await user.clear(field)
    await user.type(field, 'other.txt{Enter}')
    expect(await screen.findByRole('alert')).toHaveTextContent('“other.txt” exists')
    await user.clear(field)
    await user.type(field, 'fresh.txt{Enter}')
    expect(await name('fresh.txt')).toBeVisible()
  })

  it('does not rename over a change from elsewhere, and Escape gives up', async () => {
    const cloud = makeCloud()
    const file = cloud.putFile('old.txt', 1)
    const { user } = await renderApp('/files')
    await user.click(await screen.findByRole('button', { name: 'Actions for old.txt' }))
    await user.click(await screen.findByRole('menuitem', { name: 'Rename' }))
    cloud.putFile('old.txt', 2, { onConflict: 'version', baseVersion: 1 })
    await user.type(await screen.findByRole('textbox'), 'x{Enter}')
    expect(await screen.findByRole('alert')).toHaveTextContent(/changed on another device/)
    await user.keyboard('{Escape}')
    expect(await name('old.txt')).toBeVisible()
    expect(cloud.get(file.id).filename).toBe('old.txt')
  })

  it('deletes to the trash, and brings back', async () => {
    const cloud = makeCloud()
    cloud.putFile('a.txt', 1)
    cloud.putFile('b.txt', 1)
    const { user } = await renderApp('/files')
    ;(await name('a.txt')).focus()
    await user.keyboard('{Delete}')
    expect((await screen.findAllByText('“a.txt” is in the trash')).length).toBeGreaterThan(0)
    expect(names()).toEqual(['b.txt'])
    expect(document.activeElement).toHaveTextContent('b.txt')
    await user.click(screen.getByRole('button', { name: 'Undo' }))
    expect(await name('a.txt')).toBeVisible()
  })

  it('says when a delete was refused, and shows the file again', async () => {
    const cloud = makeCloud()
    cloud.putFile('a.txt', 1)
    const { user } = await renderApp('/files')
    await name('a.txt')
    cloud.putFile('a.txt', 2, { onConflict: 'version', baseVersion: 1 })
    await user.click(screen.getByRole('button', { name: 'Actions for a.txt' }))
    await user.click(await screen.findByRole('menuitem', { name: 'Delete' }))
    expect((await screen.findAllByText(/was changed on another device/)).length).toBeGreaterThan(0)
    expect(await name('a.txt')).toBeVisible()
  })

  it('downloads through an address that needs no token', async () => {
    const cloud = makeCloud()
    const file = cloud.putFile('a.txt', 1)
    const clicked = vi.fn((event: Event) => event.preventDefault())
    document.addEventListener('click', (event) => (event.target as HTMLElement).tagName === 'A' && clicked(event), { once: false })
    const { user } = await renderApp('/files')
    await user.click(await name('a.txt'))
    await waitFor(() => expect(clicked).toHaveBeenCalled())
    const link = clicked.mock.calls[0]?.[0].target as HTMLAnchorElement
    expect(link.href).toContain(`/api/files/${file.id}?ticket=`)
    expect(link.download).toBe('a.txt')
  })

  it('moves the focus with the arrow keys', async () => {
    const cloud = makeCloud()
    for (const file of ['a', 'b', 'c']) cloud.putFile(file, 1)
    const { user } = await renderApp('/files')
    ;(await name('a')).focus()
    await user.keyboard('{ArrowDown}')
    expect(document.activeElement).toHaveTextContent('b')
    await user.keyboard('{End}{ArrowDown}')
    expect(document.activeElement).toHaveTextContent('c')
    await user.keyboard('{Home}')
    expect(document.activeElement).toHaveTextContent('a')
  })

  it('tells a missing folder from a failing server', async () => {
    const cloud = makeCloud()
    const folder = cloud.addFolder('Gone')
    cloud.trash(folder.id)
    const { unmount } = await renderApp(`/files/${folder.id}`)
    expect(await screen.findByText('This folder is not here any more')).toBeVisible()
    unmount()

    mockNetwork.use(http.get('*/api/files', () => HttpResponse.json({ status: 403, code: 'forbidden' }, { status: 403 })))
    const { user } = await renderApp('/files')
    expect(await screen.findByText('The folder could not be loaded')).toBeVisible()
    mockNetwork.resetHandlers()
    makeCloud()
    await user.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByText('Put your first files here')).toBeVisible()
  })

  it('shows what other devices do, when the server says that something changed', async () => {
    const cloud = makeCloud()
    await renderApp('/files')
    await screen.findByText('Put your first files here')
    await waitFor(() => expect(FakeSocket.opened.length).toBeGreaterThan(0))
    FakeSocket.last.open()
    FakeSocket.last.receive({ type: 'hello', spaces: [{ space: cloud.space, cursor: cloud.cursor }] })
    cloud.putFile('from-afar.txt', 5)
    FakeSocket.last.receive({ type: 'changes', space: cloud.space, from: 'c1', to: cloud.cursor })
    expect(await name('from-afar.txt')).toBeVisible()
  })

  it('shows where dropped files will go', async () => {
    makeCloud()
    await renderApp('/files')
    await screen.findByText('Put your first files here')
    fireEvent.dragEnter(window, { dataTransfer: { types: ['Files'] } })
    expect(screen.getByText('Drop to upload to “My files”')).toBeVisible()
    fireEvent.dragLeave(window, { dataTransfer: { types: ['Files'] } })
    expect(screen.queryByText('Drop to upload to “My files”')).toBeNull()
    fireEvent.drop(window, {
      dataTransfer: { types: ['Files'], items: [{ kind: 'file', getAsFile: () => null, webkitGetAsEntry: () => ({ isDirectory: true }) }, { kind: 'string' }] },
    })
    expect((await screen.findAllByText(/A folder was left out/)).length).toBeGreaterThan(0)
  })
})

describe('the trash', () => {
  it('restores and deletes forever', async () => {
    const cloud = makeCloud()
    for (const file of ['a.txt', 'b.txt']) cloud.trash(cloud.putFile(file, 1).id)
    const { user } = await renderApp('/trash')
    await user.click(await screen.findByRole('button', { name: 'Restore a.txt' }))
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Restore a.txt' })).toBeNull())
    await user.click(screen.getByRole('button', { name: 'Delete b.txt forever' }))
    const dialog = within(await screen.findByRole('dialog', { name: 'Delete “b.txt” forever?' }))
    await user.click(dialog.getByRole('button', { name: 'Delete forever' }))
    expect(await screen.findByText('The trash is empty')).toBeVisible()
    expect([...cloud.items.values()].map((item) => item.filename)).toEqual(['', 'a.txt'])
  })

  it('is emptied after a question', async () => {
    const cloud = makeCloud()
    for (const file of ['a.txt', 'b.txt']) cloud.trash(cloud.putFile(file, 1).id)
    const { user } = await renderApp('/trash')
    await user.click(await screen.findByRole('button', { name: 'Empty trash' }))
    await user.click(await screen.findByRole('button', { name: 'Cancel' }))
    expect(cloud.trashed()).toHaveLength(2)
    await user.click(screen.getByRole('button', { name: 'Empty trash' }))
    await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Delete forever' }))
    expect((await screen.findAllByText('2 items were deleted forever')).length).toBeGreaterThan(0)
  })

  it('says when it cannot be loaded', async () => {
    makeCloud()
    mockNetwork.use(http.get('*/api/trash', () => HttpResponse.json({ status: 403, code: 'forbidden' }, { status: 403 })))
    await renderApp('/trash')
    expect(await screen.findByText('The trash could not be loaded')).toBeVisible()
  })
})
