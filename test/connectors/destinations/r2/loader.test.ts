import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { fileStore } from '../../../../src/staging/file-store.ts'
import { memoryStore } from '../../../../src/staging/memory-store.ts'
import { loaderSuite } from './loader-suite.ts'

const root = mkdtempSync(join(tmpdir(), 'r2-loader-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let opened = 0
loaderSuite('files', () => fileStore(join(root, `store-${++opened}`)))
loaderSuite('memory', () => memoryStore())
