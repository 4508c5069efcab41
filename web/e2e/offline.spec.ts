import { Server } from './server'
import { expect, nameOf, register, test, upload } from './fixtures'

// A server of its own, since it is stopped here.
test.use({ baseURL: async ({}, provide) => provide(undefined) })

test('survives a restart of the server: says so, reconnects, goes on', async ({ browser }) => {
  test.setTimeout(90_000)
  const server = await Server.start()
  try {
    const context = await browser.newContext({ baseURL: server.url, locale: 'en-GB' })
    const page = await context.newPage()
    await register(page)
    await expect(page.locator('[data-live=live]')).toBeAttached()
    await server.stop()
    await expect(page.getByText('Offline').or(page.getByText('Connecting…'))).toBeVisible({ timeout: 15_000 })
    await server.launch()
    await expect(page.locator('[data-live=live]')).toBeAttached({ timeout: 40_000 })
    await upload(page, { name: 'after.txt', content: 'x' })
    await expect(nameOf(page, 'after.txt')).toBeVisible()
    await context.close()
  } finally {
    await server.remove()
  }
})
