import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router'
import { session } from '@/api/session'
import { applyTheme, currentTheme } from '@/lib/theme'
import { Providers } from './providers'
import { createRouter } from './router'
import './style.css'

applyTheme(currentTheme())
void session.start()

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Providers>
        <RouterProvider router={createRouter()} />
      </Providers>
    </StrictMode>,
  )
}
