import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, nameOf, register, row, screenshot, test, upload } from './fixtures'

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa']).analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([])
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [device, viewport] of [
    ['desktop', { width: 1280, height: 800 }],
    ['phone', { width: 390, height: 844 }],
  ] as const) {
    test(`looks right and is accessible: ${device}, ${colorScheme}`, async ({ page }) => {
      const shot = (name: string) => screenshot(page, `${device}-${colorScheme}-${name}`)
      await page.setViewportSize(viewport)
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.goto('/register')
      await page.getByRole('button', { name: 'Create account' }).click()
      await expect(page.getByText('Enter your password.')).toBeVisible()
      await expectAccessible(page)
      await shot('register')

      await register(page)
      await expectAccessible(page)
      await shot('empty')

      await page.getByRole('button', { name: 'New folder' }).click()
      await expect(page.getByRole('dialog')).toBeVisible()
      await shot('new-folder')
      await page.getByRole('button', { name: 'Create' }).click()
      await upload(
        page,
        { name: 'Annual report.pdf', content: 'x'.repeat(240_000) },
        { name: 'Budget.xlsx', content: 'x'.repeat(48_000) },
        { name: 'Mountains at dawn.jpg', content: 'x'.repeat(1_200_000) },
        { name: 'A very long file name that would not fit into one line on most of the screens that people use every day.docx', content: 'x' },
      )
      await expect(page.getByText('4 files uploaded')).toBeVisible()
      await page.getByRole('button', { name: 'Close the list of uploads' }).click()
      await expect(nameOf(page, 'Budget.xlsx')).toBeVisible()
      await expectAccessible(page)
      await shot('files')

      await upload(page, { name: 'Budget.xlsx', content: 'y' }, { name: 'Annual report.pdf', content: 'y' })
      await expect(page.getByText('2 files need a decision')).toBeVisible()
      await expectAccessible(page)
      await shot('conflict')
      await page.getByRole('button', { name: 'Skip' }).first().click()
      await page.getByRole('button', { name: 'Close the list of uploads' }).click()

      await row(page, 'Budget.xlsx').getByRole('button', { name: 'Actions for Budget.xlsx' }).click()
      await expect(page.getByRole('menu')).toBeVisible()
      await shot('menu')
      await page.getByRole('menuitem', { name: 'Delete' }).click()
      await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible()
      await shot('deleted')

      await page.goto('/trash')
      await expect(page.getByRole('button', { name: 'Restore Budget.xlsx' })).toBeVisible()
      await expectAccessible(page)
      await shot('trash')
    })
  }
}
