import { afterAll } from 'vitest'
import { undoAll } from './cleanup.ts'

afterAll(undoAll, 60_000)
