import path from 'node:path'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { mockServer } from './mock/mock-server'

const server = process.env['CLOUDDOCS_SERVER'] ?? 'http://127.0.0.1:8080'

export default defineConfig(({ mode }) => ({
  // `vite --mode mock` answers /api from memory; otherwise it goes to a running clouddocsd.
  plugins: [react(), tailwindcss(), ...(mode === 'mock' ? [mockServer()] : [])],
  resolve: { alias: { '@': path.resolve(import.meta.dirname, 'src') } },
  server: { proxy: mode === 'mock' ? {} : { '/api': { target: server, ws: true } } },
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
    coverage: {
      provider: 'v8',
      include: ['src/**/*.{ts,tsx}'],
      exclude: ['src/**/*.test.*', 'src/testing/**', 'src/api/schema.gen.ts', 'src/app/main.tsx'],
      reporter: ['text', 'json-summary', 'lcov'],
      thresholds: { lines: 85 },
    },
  },
}))
