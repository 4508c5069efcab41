import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Api } from './support/api.ts'
import { Device } from './support/device.ts'
import { Server } from './support/server.ts'
import { differences, readTree } from './support/tree.ts'

// No silent overwrite: whatever two devices do to the same things while they do not see each other, nothing that was written is lost.

let server: Server
let api: Api
let a: Device
let b: Device

beforeAll(async () => {
  server = await Server.start()
})

beforeEach(async () => {
  api = await Api.register(server)
  a = await Device.login(server.url, api.email, 'laptop')
  b = await Device.login(server.url, api.email, 'desktop')
  put(a, 'file.txt', 'common')
  put(a, 'folder/inside.txt', 'inside')
  await settle()
})

function put(device: Device, name: string, content: string): void {
  const full = path.join(device.folder, name)
  mkdirSync(path.dirname(full), { recursive: true })
  writeFileSync(full, content)
}
const get = (device: Device, name: string) => readFileSync(path.join(device.folder, name), 'utf8')
const has = (device: Device, name: string) => existsSync(path.join(device.folder, name))
const remove = (device: Device, name: string) => rmSync(path.join(device.folder, name), { recursive: true })
const move = (device: Device, from: string, to: string) => renameSync(path.join(device.folder, from), path.join(device.folder, to))
const names = (device: Device, folder = '') => readdirSync(path.join(device.folder, folder)).filter((name) => name !== '.clouddocs').sort()

// Until both have nothing more to say; then they must be equal.
async function settle(): Promise<void> {
  for (const device of [a, b, a, b]) {
    const ended = await device.run(['sync', device.folder, '--once'])
    if (ended.code !== 0 && ended.code !== 5) throw new Error(`${device.name}: ${ended.code}\n${ended.stdout}${ended.stderr}`)
  }
  expect(differences(readTree(a.folder), readTree(b.folder))).toEqual([])
}

// What the files of a device hold.
function contents(device: Device): string[] {
  const found = [...readTree(device.folder).entries].filter(([, value]) => value.startsWith('file '))
  return found.map(([name]) => get(device, name)).sort()
}

describe('two devices, apart', () => {
  test('edit the same file: afterwards both have both versions', async () => {
    put(a, 'file.txt', 'by the laptop')
    put(b, 'file.txt', 'by the desktop')
    await settle()
    expect(get(a, 'file.txt')).toBe('by the laptop') // came first
    const copy = names(b).find((name) => name !== 'file.txt' && name.startsWith('file'))
    expect(copy).toMatch(/^file \(conflict, desktop, \d{4}-\d{2}-\d{2}\)\.txt$/)
    expect(get(a, String(copy))).toBe('by the desktop')
    expect(get(b, String(copy))).toBe('by the desktop')
  })

  test('the older time does not lose, and the newer does not win', async () => {
    put(a, 'file.txt', 'from the future')
    utimesSync(path.join(a.folder, 'file.txt'), 4_000_000_000, 4_000_000_000)
    put(b, 'file.txt', 'from the past')
    utimesSync(path.join(b.folder, 'file.txt'), 1_000, 1_000)
    await settle()
    expect(contents(a)).toEqual(expect.arrayContaining(['from the future', 'from the past']))
  })

  test('edit it in the same way: equal content is no conflict', async () => {
    put(a, 'file.txt', 'the same')
    put(b, 'file.txt', 'the same')
    await settle()
    expect(names(a)).toEqual(['file.txt', 'folder'])
    expect(get(b, 'file.txt')).toBe('the same')
  })

  test('make different files of one name', async () => {
    put(a, 'new.txt', 'laptop')
    put(b, 'new.txt', 'desktop')
    await settle()
    expect(contents(a)).toEqual(['common', 'desktop', 'inside', 'laptop'])
  })

  test('make the same folder with different files in it', async () => {
    put(a, 'shared/from laptop', 'laptop')
    put(b, 'shared/from desktop', 'desktop')
    await settle()
    expect(names(a)).toEqual(['file.txt', 'folder', 'shared'])
    expect(names(a, 'shared')).toEqual(['from desktop', 'from laptop'])
  })

  test('make a file and a folder of one name', async () => {
    put(a, 'thing', 'a file')
    put(b, 'thing/inside', 'in a folder')
    await settle()
    expect(contents(a)).toEqual(['a file', 'common', 'in a folder', 'inside'])
  })

  test.each([['the delete first', true], ['the edit first', false]])('one deletes, the other edits: the edit stays (%s)', async (_, deleteFirst) => {
    remove(a, 'file.txt')
    put(b, 'file.txt', 'edited')
    await (deleteFirst ? a : b).syncOnce()
    await settle()
    expect(contents(a)).toContain('edited')
    expect(get(b, 'file.txt')).toBe('edited')
  })

  test.each([['the rename first', true], ['the edit first', false]])('one renames, the other edits: the new name with the new content (%s)', async (_, renameFirst) => {
    move(a, 'file.txt', 'renamed.txt')
    put(b, 'file.txt', 'edited')
    await (renameFirst ? a : b).syncOnce()
    await settle()
    expect(contents(a)).toContain('edited')
    expect(names(a)).toEqual(['folder', 'renamed.txt'])
    expect(get(a, 'renamed.txt')).toBe('edited')
  })

  test('both rename it, to different names', async () => {
    move(a, 'file.txt', 'laptop.txt')
    move(b, 'file.txt', 'desktop.txt')
    await settle()
    expect(contents(a)).toEqual(['common', 'inside'])
  })

  test.each([['the delete first', true], ['the new file first', false]])('one deletes a folder, the other makes a file in it: the file stays (%s)', async (_, deleteFirst) => {
    remove(a, 'folder')
    put(b, 'folder/new.txt', 'new')
    await (deleteFirst ? a : b).syncOnce()
    await settle()
    expect(get(a, 'folder/new.txt')).toBe('new')
    expect(get(b, 'folder/new.txt')).toBe('new')
  })

  test('one renames a folder, the other makes a file in it: the file is in the renamed folder', async () => {
    move(a, 'folder', 'moved')
    put(b, 'folder/new.txt', 'new')
    await settle()
    expect(contents(a)).toEqual(['common', 'inside', 'new'])
    expect(get(a, 'moved/new.txt')).toBe('new')
    expect(has(b, 'folder/inside.txt')).toBe(false)
  })

  test('folders moved into each other: neither is lost', async () => {
    put(a, 'other/thing', 'thing')
    await settle()
    move(a, 'folder', 'other/folder')
    move(b, 'other', 'folder/other')
    await settle()
    expect(contents(a)).toEqual(['common', 'inside', 'thing'])
  })

  test('both delete it', async () => {
    remove(a, 'file.txt')
    remove(b, 'file.txt')
    await settle()
    expect(names(a)).toEqual(['folder'])
  })

  test('names that are exchanged', async () => {
    put(a, 'second.txt', 'second')
    await settle()
    move(a, 'file.txt', 'x')
    move(a, 'second.txt', 'file.txt')
    move(a, 'x', 'second.txt')
    await settle()
    expect([get(b, 'file.txt'), get(b, 'second.txt')]).toEqual(['second', 'common'])
  })

  test('what was overwritten or deleted is in the versions or in the trash', async () => {
    put(a, 'file.txt', 'second')
    await settle()
    remove(a, 'folder')
    await settle()
    const file = (await api.list()).items.find((item) => item.filename === 'file.txt')
    const versions = await api.get<{ items: { version: number }[] }>(`/api/files/${file?.id}/versions`)
    expect(versions.items.map((version) => version.version)).toEqual([2, 1])
    expect((await api.get<{ items: { filename: string }[] }>('/api/trash')).items.map((item) => item.filename)).toEqual(['folder'])
  })
})
