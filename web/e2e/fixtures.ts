import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { test as base, expect, type Page } from '@playwright/test'
import { Server } from './server'

export { expect }
export const password = 'a rare phrase for tests'

const screenshots = path.resolve(import.meta.dirname, 'screenshots')

interface Fixtures {
  // Fails the test for anything the browser complains about, except the answers the page asks for on purpose.
  complaints: string[]
}

// One server per worker; each test brings an account of its own.
export const test = base.extend<Fixtures, { server: Server }>({
  server: [
    async ({}, provide) => {
      const server = await Server.start()
      await provide(server)
      await server.remove()
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ server }, provide) => provide(server.url),
  complaints: [
    async ({ page }, provide) => {
      const complaints: string[] = []
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text())
      })
      page.on('request', (request) => {
        const { protocol, host } = new URL(request.url())
        if (protocol.startsWith('http') && host !== new URL(page.url()).host && page.url() !== 'about:blank') complaints.push(`Foreign request: ${request.url()}`)
      })
      await provide(complaints)
      expect(complaints).toEqual([])
    },
    { auto: true },
  ],
})

let accounts = 0

export function newEmail(): string {
  accounts += 1
  return `user-${process.pid}-${accounts}@example.org`
}

export async function register(page: Page): Promise<string> {
  const email = newEmail()
  await page.goto('/register')
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await expect(page.getByText('Put your first files here')).toBeVisible()
  return email
}

export async function upload(page: Page, ...files: { name: string; content: string | Buffer }[]): Promise<void> {
  await page
    .locator('input[type=file]')
    .first()
    .setInputFiles(files.map(({ name, content }) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(content) })))
}

export const row = (page: Page, name: string) => page.locator('tr', { has: page.locator('[data-row-name]').getByText(name, { exact: true }) })
export const nameOf = (page: Page, name: string) => row(page, name).locator('[data-row-name]')

export async function screenshot(page: Page, name: string): Promise<void> {
  await mkdir(screenshots, { recursive: true })
  await page.waitForTimeout(300)
  await page.screenshot({ path: path.join(screenshots, `${name}.png`) })
}
