import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, nameOf, password, register, row, test, upload } from './fixtures'

test('uploads files and downloads the same bytes', async ({ page }) => {
  await register(page)
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31) % 251))
  await upload(page, { name: 'Résumé – итог.bin', content }, { name: 'empty.txt', content: '' })
  await expect(page.getByText('2 files uploaded')).toBeVisible()
  await expect(nameOf(page, 'empty.txt')).toBeVisible()

  const downloading = page.waitForEvent('download')
  await nameOf(page, 'Résumé – итог.bin').click()
  const download = await downloading
  expect(download.suggestedFilename()).toBe('Résumé – итог.bin')
  expect(content.equals(await readFile(await download.path()))).toBe(true)
})

test('shows live what the device client puts', async ({ page, server }) => {
  const email = await register(page)
  await expect(page.locator('[data-live=live]')).toBeAttached()
  const device = server.device('laptop')
  await device.login(email, password)
  const folder = await mkdtemp(path.join(tmpdir(), 'clouddocs-put-'))
  await writeFile(path.join(folder, 'from-device.txt'), 'hello from the device')
  await device.put(path.join(folder, 'from-device.txt'), 'from-device.txt')
  await expect(nameOf(page, 'from-device.txt')).toBeVisible({ timeout: 2_000 })

  const downloading = page.waitForEvent('download')
  await nameOf(page, 'from-device.txt').click()
  expect(await readFile(await (await downloading).path(), 'utf8')).toBe('hello from the device')
})

test('shows in one tab what another one does', async ({ page, context }) => {
  await register(page)
  const other = await context.newPage()
  await other.goto('/files')
  await expect(other.getByText('Put your first files here')).toBeVisible()
  await upload(page, { name: 'shared.txt', content: 'x' })
  await expect(nameOf(other, 'shared.txt')).toBeVisible({ timeout: 3_000 })
  await page.reload()
  await expect(nameOf(page, 'shared.txt')).toBeVisible()
  await page.getByRole('button', { name: 'Account and settings' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await expect(other.getByRole('heading', { name: 'Sign in to CloudDocs' })).toBeVisible()
})

test('renames in place, by keyboard, and refuses bad names', async ({ page }) => {
  await register(page)
  await upload(page, { name: 'draft.txt', content: 'x' }, { name: 'taken.txt', content: 'y' })
  await nameOf(page, 'draft.txt').focus()
  await page.keyboard.press('F2')
  const field = page.getByRole('textbox', { name: 'New name for draft.txt' })
  await field.fill('a/b')
  await expect(page.getByRole('alert')).toContainText('cannot contain “/”')
  await field.fill('taken.txt')
  await field.press('Enter')
  await expect(page.getByRole('alert')).toContainText('“taken.txt” exists')
  await field.fill('final.txt')
  await field.press('Enter')
  await expect(nameOf(page, 'final.txt')).toBeVisible()
  await expect(nameOf(page, 'draft.txt')).toHaveCount(0)
})

test('deletes, undoes, restores from the trash and deletes forever', async ({ page }) => {
  await register(page)
  await upload(page, { name: 'a.txt', content: 'x' })
  await nameOf(page, 'a.txt').focus()
  await page.keyboard.press('Delete')
  await expect(nameOf(page, 'a.txt')).toHaveCount(0)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(nameOf(page, 'a.txt')).toBeVisible()

  await row(page, 'a.txt').getByRole('button', { name: 'Actions for a.txt' }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await page.getByRole('link', { name: 'Trash' }).click()
  await page.getByRole('button', { name: 'Restore a.txt' }).click()
  await expect(page.getByText('The trash is empty')).toBeVisible()
  await page.getByRole('link', { name: 'My files' }).click()
  await nameOf(page, 'a.txt').focus()
  await page.keyboard.press('Delete')
  await expect(page.getByText('“a.txt” is in the trash').first()).toBeVisible()
  await page.getByRole('link', { name: 'Trash' }).click()
  await page.getByRole('button', { name: 'Delete a.txt forever' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete forever' }).click()
  await expect(page.getByText('The trash is empty')).toBeVisible()
})

test('asks before it replaces, keeps both, or skips', async ({ page }) => {
  await register(page)
  await upload(page, { name: 'plan.txt', content: 'one' })
  await expect(nameOf(page, 'plan.txt')).toBeVisible()
  await upload(page, { name: 'plan.txt', content: 'two' })
  await page.getByRole('button', { name: 'Keep both' }).click()
  await expect(nameOf(page, 'plan (2).txt')).toBeVisible()
  await upload(page, { name: 'plan.txt', content: 'three' })
  await page.getByRole('button', { name: 'Replace' }).click()
  await expect(page.getByText('3 files uploaded')).toBeVisible()
  const downloading = page.waitForEvent('download')
  await nameOf(page, 'plan.txt').click()
  expect(await readFile(await (await downloading).path(), 'utf8')).toBe('three')
})

test('takes dropped files into the open folder', async ({ page }) => {
  await register(page)
  await page.getByRole('button', { name: 'New folder' }).click()
  await page.getByLabel('Folder name').fill('Inbox')
  await page.getByRole('button', { name: 'Create' }).click()
  await nameOf(page, 'Inbox').click()
  await expect(page.getByText('This folder is empty')).toBeVisible()
  const transfer = await page.evaluateHandle(() => {
    const carried = new DataTransfer()
    carried.items.add(new File(['dropped'], 'dropped.txt'))
    return carried
  })
  await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer })
  await expect(page.getByText('Drop to upload to “Inbox”')).toBeVisible()
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer })
  await expect(nameOf(page, 'dropped.txt')).toBeVisible()
})
