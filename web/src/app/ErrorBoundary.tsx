import { Component, type ReactNode } from 'react'
import { Crashed } from './routes/Crashed'

// The last resort: a page that broke says so instead of turning white.
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override render(): ReactNode {
    return this.state.failed ? <Crashed /> : this.props.children
  }
}
