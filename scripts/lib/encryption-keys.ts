import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * A value for the secret `ENCRYPTION_KEYS`: one fresh 256-bit key, version 1. To rotate, put a new
 * `2:…,` in front: the first entry encrypts, all of them decrypt.
 */
export function newEncryptionKeys(): string {
  return `1:${randomBytes(32).toString('base64')}`
}

/**
 * The key of a server on this machine: written once, readable by its owner only.
 * Whoever loses the file loses the stored credentials; the data that was moved is not affected.
 */
export function persistentEncryptionKeys(file: string): string {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, newEncryptionKeys(), { mode: 0o600, flag: 'wx' })
  }
  return readFileSync(file, 'utf8').trim()
}
