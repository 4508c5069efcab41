import path from 'node:path'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const server = process.env['CLOUDDOCS_SERVER'] ?? 'http://127.0.0.1:8080'

const contentSecurityPolicy =
  "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

export default defineConfig(async ({ mode }): Promise<ViteUserConfig> => ({
  // `vite --mode mock` answers /api from memory; otherwise it goes to a running clouddocsd.
  plugins: [react(), tailwindcss(), ...(mode === 'mock' ? [(await import('./mock/mock-server.ts')).mockServer()] : [])],
  resolve: { alias: { '@': path.resolve(import.meta.dirname, 'src') } },
  server: { ...(mode !== 'mock' && { proxy: { '/api': { target: server, ws: true } } }) },
  // The server sends the same policy: nothing from elsewhere, no inline scripts or styles.
  preview: { headers: { 'Content-Security-Policy': contentSecurityPolicy } },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    sourcemap: false,
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/testing/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    maxWorkers: 2,
    testTimeout: 20_000,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.{ts,tsx}'],
      exclude: ['src/**/*.test.*', 'src/testing/**', 'src/api/schema.gen.ts', 'src/app/main.tsx'],
      reporter: ['text', 'json-summary', 'lcov'],
      thresholds: { lines: 85 },
    },
  },
}))
