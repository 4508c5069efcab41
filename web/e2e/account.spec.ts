import { expect, newEmail, password, register, test } from './fixtures'

test('tells what is wrong with an email, a password or both', async ({ page }) => {
  await page.goto('/')
  await expect(page).toHaveURL(/\/sign-in$/)
  await page.getByLabel('Email').fill('nobody')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByLabel('Email')).toHaveAccessibleDescription(/needs a name, an @ and a domain/)
  await page.getByLabel('Email').fill(newEmail())
  await page.getByLabel('Password', { exact: true }).fill('wrong password')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert')).toHaveText('The email or the password is wrong.')

  await page.getByRole('link', { name: 'Create account' }).click()
  await page.getByLabel('Email').fill(newEmail())
  await page.getByLabel('Password', { exact: true }).fill('short')
  await page.getByRole('button', { name: 'Create account' }).click()
  await expect(page.getByLabel('Password', { exact: true })).toHaveAccessibleDescription('Use at least 8 characters.')
  await page.getByLabel('Password', { exact: true }).fill('password')
  await page.getByRole('button', { name: 'Create account' }).click()
  await expect(page.getByLabel('Password', { exact: true })).toHaveAccessibleDescription(/too easy to guess/)
})

test('stays signed in over a reload, and keeps no token where scripts can find it', async ({ page, context, server }) => {
  const email = await register(page)
  await page.reload()
  await expect(page.getByText('Put your first files here')).toBeVisible()
  const cookie = (await context.cookies(`${server.url}/api/auth/refresh`)).find(({ name }) => name === 'clouddocs_refresh')
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/api/auth' })
  expect(await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toMatch(/eyJ|refresh/)

  await page.getByRole('button', { name: 'Account and settings' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.goto('/trash')
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/trash$/)
})

test('says that an email has an account already', async ({ page }) => {
  const email = await register(page)
  await page.getByRole('button', { name: 'Account and settings' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('link', { name: 'Create account' }).click()
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.keyboard.press('Enter')
  await expect(page.getByLabel('Email')).toHaveAccessibleDescription(/exists. Sign in instead/)
})

test('speaks Russian when asked', async ({ page }) => {
  await register(page)
  await page.getByRole('button', { name: 'Account and settings' }).click()
  await page.getByRole('menuitemradio', { name: 'Русский' }).click()
  await expect(page.getByRole('link', { name: 'Корзина' })).toBeVisible()
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Мои файлы' })).toBeVisible()
})

test('folders that do not exist, and pages that do not, say so', async ({ page }) => {
  await register(page)
  await page.goto(`/files/${'A'.repeat(43)}`)
  await expect(page.getByText('This folder is not here any more')).toBeVisible()
  await page.goto('/nowhere')
  await expect(page.getByText('There is no such page')).toBeVisible()
})
