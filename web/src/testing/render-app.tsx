import { render } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { MemoryRouter } from 'react-router'
import { session } from '@/api/session'
import { Providers } from '@/app/providers'
import { Pages } from '@/app/router'
import { MockCloud } from './mock-cloud'
import { mockHandlers } from './mock-handlers'
import { mockNetwork } from './setup'

export const email = 'ann@example.org'
export const password = 'correct horse'

// A cloud with one account; `signedIn` gives the browser its cookie.
export function makeCloud({ signedIn = true } = {}): MockCloud {
  const cloud = new MockCloud()
  cloud.addAccount(email, password)
  if (signedIn) cloud.cookie = email
  mockNetwork.use(...mockHandlers(cloud))
  return cloud
}

export async function renderApp(path = '/') {
  const user = userEvent.setup()
  await session.start()
  const view = render(
    <Providers>
      <MemoryRouter initialEntries={[path]}>
        <Pages />
      </MemoryRouter>
    </Providers>,
  )
  return { user, ...view }
}
