import { AirbyteError } from '../protocol/index.ts'
import { fromBase64, utf8 } from './bytes.ts'

export type MasterKey = Uint8Array<ArrayBuffer>

const LOCAL_VERSION = 'local'
/** No secret, and meant to be none: what a laptop holds must open again after a restart. */
const LOCAL_KEY = utf8('airbyte local development key 01')
const ENTRY = /^([A-Za-z0-9_.-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/

/** Master keys by version, the current one first. The messages never show what was configured. */
export function parseKeys(options: {
  keys: string | undefined
  localMode: boolean
}): Map<string, MasterKey> {
  const entries = (options.keys ?? '').split(',').map((entry) => entry.trim())
  const keys = new Map<string, MasterKey>()
  for (const [index, entry] of entries.entries()) {
    if (entry === '') continue
    const [, version, key] = ENTRY.exec(entry) ?? []
    if (version === undefined || key === undefined) throw malformed(index)
    if (keys.has(version)) throw keyMissing(`Key version '${version}' is configured twice.`)
    keys.set(version, fromBase64(key))
  }
  if (options.localMode && !keys.has(LOCAL_VERSION)) keys.set(LOCAL_VERSION, LOCAL_KEY)
  if (keys.size === 0) throw keyMissing('No encryption key is configured.')
  return keys
}

export const currentVersion = (keys: Map<string, MasterKey>) => [...keys.keys()][0] ?? LOCAL_VERSION

const malformed = (index: number) =>
  keyMissing(`Entry ${index + 1} of ENCRYPTION_KEYS is not 'version:base64 of 32 bytes'.`)

const keyMissing = (message: string) => new AirbyteError('KEY_MISSING', message)
