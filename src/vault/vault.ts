import { AirbyteError, type JsonObject } from '../protocol/index.ts'
import { fromBase64, toBase64, utf8 } from './bytes.ts'
import { currentVersion, type MasterKey, parseKeys } from './master-keys.ts'

/** Whose secrets: a record opens only under the tenant and the entity that it was sealed for. */
export interface VaultScope {
  tenantId: string
  /** Such as `source:0198c0de-…`. */
  entity: string
}

/** What is stored: plain data, worthless without the master key. */
export interface SealedRecord {
  version: 1
  /** Version of the master key that wraps the data key. */
  key: string
  /** Names of the sealed fields; part of what is authenticated. */
  fields: string[]
  /** The data key, wrapped by the tenant's key: base64 of nonce and ciphertext. */
  wrappedKey: string
  /** The fields as JSON, under the data key: base64 of nonce and ciphertext. */
  ciphertext: string
}

export interface Vault {
  /** Version of the key that new records are sealed with. */
  readonly keyVersion: string
  seal(scope: VaultScope, secrets: JsonObject): Promise<SealedRecord>
  /** Throws DECRYPTION_FAILED, naming the key version. */
  open(scope: VaultScope, sealed: SealedRecord): Promise<JsonObject>
  /** The same record under the current key, for rotation; the data itself is not decrypted. */
  rewrap(scope: VaultScope, sealed: SealedRecord): Promise<SealedRecord>
}

const NONCE_BYTES = 12

/**
 * Envelope encryption with AES-256-GCM. Each record has a data key of its own, wrapped by a key that
 * HKDF-SHA-256 derives from the master key for its tenant; tenant, entity, field names and key version
 * are authenticated, so a record cannot be moved to where it does not belong.
 *
 * `keys` is `v2:<base64 of 32 bytes>,v1:<base64>`, the current one first. Without any, local mode uses a
 * key that is no secret, and everything else throws KEY_MISSING.
 *
 * @example
 * const vault = createVault({ keys: env.ENCRYPTION_KEYS, localMode: false })
 * const sealed = await vault.seal({ tenantId, entity: `source:${id}` }, { '/password': 'hunter2' })
 */
export function createVault(options: { keys: string | undefined; localMode: boolean }): Vault {
  const keys = parseKeys(options)
  const keyVersion = currentVersion(keys)
  return {
    keyVersion,
    seal: (scope, secrets) => seal(keys, keyVersion, scope, secrets),
    open: (scope, sealed) =>
      orDecryptionFailed(sealed, async () => {
        const dataKey = await importKey(await unwrap(keys, scope, sealed), 'decrypt')
        const bytes = fromBase64(sealed.ciphertext)
        const plain = await decrypt(dataKey, bytes, recordData(scope, sealed.fields))
        return JSON.parse(new TextDecoder().decode(plain)) as JsonObject
      }),
    rewrap: (scope, sealed) =>
      orDecryptionFailed(sealed, async () => {
        const dataKey = await unwrap(keys, scope, sealed)
        const wrappedKey = await wrap(keys, keyVersion, scope, sealed.fields, dataKey)
        return { ...sealed, key: keyVersion, wrappedKey }
      }),
  }
}

async function seal(
  keys: Map<string, MasterKey>,
  key: string,
  scope: VaultScope,
  secrets: JsonObject,
): Promise<SealedRecord> {
  const fields = Object.keys(secrets).sort()
  const raw = crypto.getRandomValues(new Uint8Array(32))
  const dataKey = await importKey(raw, 'encrypt')
  const plain = utf8(JSON.stringify(secrets))
  const sealed = await encrypt(dataKey, plain, recordData(scope, fields))
  const wrappedKey = await wrap(keys, key, scope, fields, raw)
  return { version: 1, key, fields, wrappedKey, ciphertext: toBase64(sealed) }
}

async function wrap(
  keys: Map<string, MasterKey>,
  version: string,
  scope: VaultScope,
  fields: string[],
  dataKey: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const wrapping = await tenantKey(keys, version, scope)
  return toBase64(await encrypt(wrapping, dataKey, wrapData(scope, fields, version)))
}

async function unwrap(keys: Map<string, MasterKey>, scope: VaultScope, sealed: SealedRecord) {
  const wrapping = await tenantKey(keys, sealed.key, scope)
  const bytes = fromBase64(sealed.wrappedKey)
  return decrypt(wrapping, bytes, wrapData(scope, sealed.fields, sealed.key))
}

async function tenantKey(keys: Map<string, MasterKey>, version: string, scope: VaultScope) {
  const master = keys.get(version)
  if (!master) throw new Error(`key version '${version}' is not configured`)
  const info = utf8(`airbyte vault tenant ${scope.tenantId}`)
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info },
    await crypto.subtle.importKey('raw', master, 'HKDF', false, ['deriveKey']),
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
}

/** Additional data, in a form where no two different inputs read the same. */
const recordData = ({ tenantId, entity }: VaultScope, fields: string[]) =>
  utf8(JSON.stringify(['record', 1, tenantId, entity, fields]))

const wrapData = ({ tenantId, entity }: VaultScope, fields: string[], version: string) =>
  utf8(JSON.stringify(['data key', 1, tenantId, entity, fields, version]))

const importKey = (raw: Uint8Array<ArrayBuffer>, usage: 'encrypt' | 'decrypt') =>
  crypto.subtle.importKey('raw', raw, 'AES-GCM', false, [usage])

async function encrypt(
  key: CryptoKey,
  plain: Uint8Array<ArrayBuffer>,
  additionalData: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, plain)
  const out = new Uint8Array(NONCE_BYTES + sealed.byteLength)
  out.set(iv)
  out.set(new Uint8Array(sealed), NONCE_BYTES)
  return out
}

async function decrypt(
  key: CryptoKey,
  bytes: Uint8Array<ArrayBuffer>,
  additionalData: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const iv = bytes.subarray(0, NONCE_BYTES)
  const sealed = bytes.subarray(NONCE_BYTES)
  const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData }, key, sealed)
  return new Uint8Array(plain)
}

/** Whatever broke, the answer is the same and tells an attacker nothing. */
async function orDecryptionFailed<T>(sealed: SealedRecord, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch {
    throw new AirbyteError(
      'DECRYPTION_FAILED',
      `A stored secret does not decrypt with key version '${sealed.key}'.`,
    )
  }
}
