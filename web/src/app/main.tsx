import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter } from 'react-router'
import { session } from '@/api/session'
import { applyTheme, currentTheme } from '@/lib/theme'
import { Providers } from './providers'
import { Pages } from './router'
import './style.css'

applyTheme(currentTheme())
void session.start()

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Providers>
        <BrowserRouter>
          <Pages />
        </BrowserRouter>
      </Providers>
    </StrictMode>,
  )
}
