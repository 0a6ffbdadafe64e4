import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { newEncryptionKeys, persistentEncryptionKeys } from '../../scripts/lib/encryption-keys.ts'
import { parseKeys } from '../../src/vault/master-keys.ts'

it('generates keys that the vault takes', () => {
  const keys = parseKeys({ keys: newEncryptionKeys(), localMode: false })
  expect([...keys.values()].map((key) => key.length)).toEqual([32])
})

it('writes the key of this machine once, for its owner only', () => {
  const directory = mkdtempSync(join(tmpdir(), 'airbyte-keys-'))
  const file = join(directory, 'deep/keys')
  const first = persistentEncryptionKeys(file)
  expect(persistentEncryptionKeys(file)).toBe(first)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  rmSync(directory, { recursive: true })
})
