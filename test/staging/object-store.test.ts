import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { fileStore } from '../../src/staging/file-store.ts'
import { memoryStore } from '../../src/staging/memory-store.ts'
import { objectStoreSuite } from './object-store-suite.ts'

const root = mkdtempSync(join(tmpdir(), 'object-store-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let opened = 0
objectStoreSuite('file store', () => fileStore(join(root, `store-${++opened}`)))
objectStoreSuite('memory store', () => memoryStore())
