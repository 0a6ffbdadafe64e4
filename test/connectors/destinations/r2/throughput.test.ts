import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { fileStore } from '../../../../src/staging/file-store.ts'
import { throughputSuite } from './throughput-suite.ts'

const root = mkdtempSync(join(tmpdir(), 'r2-throughput-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

throughputSuite('files', () => fileStore(root))
