import { screen, waitFor, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { describe, expect, it } from 'vitest'
import { session } from '@/api/session'
import { email, makeCloud, password, renderApp } from '@/testing/render-app'
import { mockNetwork } from '@/testing/setup'

describe('signing in', () => {
  it('leads to the page that was asked for', async () => {
    const cloud = makeCloud({ signedIn: false })
    const folder = cloud.addFolder('Plans')
    const { user } = await renderApp(`/files/${folder.id}`)
    await user.type(await screen.findByLabelText('Email'), email)
    await user.type(screen.getByLabelText('Password'), `${password}{Enter}`)
    expect(await screen.findByRole('heading', { name: 'Plans' })).toBeVisible()
  })

  it('says what is wrong with the input and focuses it', async () => {
    makeCloud({ signedIn: false })
    const { user } = await renderApp('/sign-in')
    await user.type(await screen.findByLabelText('Email'), 'ann{Enter}')
    expect(screen.getByLabelText('Email')).toHaveAccessibleDescription(/needs a name, an @ and a domain/)
    expect(screen.getByLabelText('Email')).toHaveFocus()
    expect(screen.getByLabelText('Password')).toHaveAccessibleDescription('Enter your password.')
    await user.clear(screen.getByLabelText('Email'))
    await user.type(screen.getByLabelText('Email'), email)
    await user.type(screen.getByLabelText('Password'), 'wrong{Enter}')
    expect(await screen.findByRole('alert')).toHaveTextContent('The email or the password is wrong.')
    await user.click(screen.getByRole('button', { name: 'Show password' }))
    expect(screen.getByLabelText('Password')).toHaveAttribute('type', 'text')
  })

  it('explains how long to wait after too many attempts', async () => {
    makeCloud({ signedIn: false })
    mockNetwork.use(
      http.post('*/api/auth/login', () => HttpResponse.json({ status: 429, code: 'too_many_requests' }, { status: 429, headers: { 'Retry-After': '30' } })),
    )
    const { user } = await renderApp('/sign-in')
    await user.type(await screen.findByLabelText('Email'), email)
    await user.type(screen.getByLabelText('Password'), `${password}{Enter}`)
    expect(await screen.findByRole('alert')).toHaveTextContent('Wait 30 seconds')
  })
})

describe('registering', () => {
  it('makes an account and opens the empty root', async () => {
    makeCloud({ signedIn: false })
    const { user } = await renderApp('/sign-in')
    await user.click(await screen.findByRole('link', { name: 'Create account' }))
    await user.type(screen.getByLabelText('Email'), 'new@example.org')
    await user.type(screen.getByLabelText('Password'), 'short{Enter}')
    expect(screen.getByLabelText('Password')).toHaveAccessibleDescription('Use at least 8 characters.')
    await user.clear(screen.getByLabelText('Password'))
    await user.type(screen.getByLabelText('Password'), 'password123{Enter}')
    await waitFor(() => expect(screen.getByLabelText('Password')).toHaveAccessibleDescription(/too easy to guess/))
    await user.clear(screen.getByLabelText('Password'))
    await user.type(screen.getByLabelText('Password'), 'a rare phrase{Enter}')
    expect(await screen.findByText('Put your first files here')).toBeVisible()
  })

  it('says that the email has an account already', async () => {
    makeCloud({ signedIn: false })
    const { user } = await renderApp('/register')
    await user.type(await screen.findByLabelText('Email'), email)
    await user.type(screen.getByLabelText('Password'), 'a rare phrase{Enter}')
    await waitFor(() => expect(screen.getByLabelText('Email')).toHaveAccessibleDescription(/exists. Sign in instead/))
  })

  it('is not offered when the server takes no accounts', async () => {
    makeCloud({ signedIn: false }).registrationOpen = false
    await renderApp('/register')
    expect(await screen.findByText(/Ask the administrator/)).toBeVisible()
  })
})

describe('the account menu', () => {
  it('switches language and theme, and signs out', async () => {
    makeCloud()
    const { user } = await renderApp('/files')
    await user.click(await screen.findByRole('button', { name: 'Account and settings' }))
    await user.click(await screen.findByRole('menuitemradio', { name: 'Dark' }))
    expect(document.documentElement.dataset['theme']).toBe('dark')
    await user.click(screen.getByRole('menuitemradio', { name: 'Русский' }))
    expect(await screen.findByRole('menuitem', { name: 'Выйти' })).toBeVisible()
    expect(document.documentElement.lang).toBe('ru')
    await user.click(screen.getByRole('menuitem', { name: 'Выйти' }))
    expect(await screen.findByRole('heading', { name: 'Вход в CloudDocs' })).toBeVisible()
  })
})

describe('the session', () => {
  it('that ended elsewhere leads to the sign-in with a word about it', async () => {
    const cloud = makeCloud()
    await renderApp('/files')
    await screen.findByText('Put your first files here')
    cloud.cookie = undefined
    cloud.tokens.clear()
    await session.refresh().catch(() => undefined)
    expect(await screen.findByText('Your session has ended. Sign in to go on.')).toBeVisible()
  })

  it('shows the storage use', async () => {
    makeCloud().putFile('big.bin', 512 * 1024 ** 2)
    await renderApp('/files')
    expect(await screen.findByText('512 MB of 2 GB used')).toBeInTheDocument()
    const meter = screen.getByRole('progressbar', { name: 'Storage' })
    expect(meter).toHaveAttribute('aria-valuenow', '25')
  })

  it('page that does not exist says so', async () => {
    makeCloud()
    await renderApp('/nowhere')
    const page = within(await screen.findByRole('main'))
    expect(page.getByText('There is no such page')).toBeVisible()
    expect(page.getByRole('link', { name: 'Go to my files' })).toHaveAttribute('href', '/files')
  })
})
