import { equalSecrets, randomText, sha256 } from './crypto.ts'
import { type AccessLevel, type Scope, within } from './scopes.ts'

/** An API key without its secret. Times are epoch milliseconds. */
export interface ApiKey {
  id: string
  name: string
  scopes: Scope[]
  /** User id of who made it. */
  createdBy: string
  createdAt: number
  expiresAt?: number
  /** To the minute. */
  lastUsedAt?: number
}

export interface NewApiKey {
  name: string
  scopes: readonly Scope[]
  createdBy: string
  expiresAt?: number
}

export const API_KEYS_SCHEMA = `
  create table api_keys (
    id text primary key,
    hash text not null,
    name text not null,
    scopes text not null,
    created_by text not null,
    created_at integer not null,
    expires_at integer,
    last_used_at integer
  ) without rowid;
`

interface Row extends Record<string, SqlStorageValue> {
  id: string
  hash: string
  name: string
  scopes: string
  created_by: string
  created_at: number
  expires_at: number | null
  last_used_at: number | null
}

/** `abk_<workspace>_<id>_<secret>`: the workspace is in the key, so that one look-up finds it. */
export function parseApiKey(token: string) {
  const match = /^abk_([\w-]+?)_([0-9a-f]{12})_([\w-]{43})$/.exec(token)
  if (!match) return null
  const [, tenantId = '', id = '', secret = ''] = match
  return { tenantId, id, secret }
}

/** The API keys of one workspace. Only hashes are kept: secrets of 256 random bits need no salt. */
export class ApiKeys {
  private readonly sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.sql = sql
  }

  /** Makes a key; `token` is seen only here. */
  async create(tenantId: string, key: NewApiKey): Promise<{ token: string; key: ApiKey }> {
    const id = crypto.randomUUID().replaceAll('-', '').slice(0, 12)
    const secret = randomText()
    this.sql.exec(
      `insert into api_keys (id, hash, name, scopes, created_by, created_at, expires_at)
       values (?, ?, ?, ?, ?, ?, ?)`,
      id,
      await sha256(secret),
      key.name,
      JSON.stringify(key.scopes),
      key.createdBy,
      Date.now(),
      key.expiresAt ?? null,
    )
    return { token: `abk_${tenantId}_${id}_${secret}`, key: this.get(id) as ApiKey }
  }

  get(id: string): ApiKey | null {
    const row = this.row(id)
    return row ? toKey(row) : null
  }

  list(): ApiKey[] {
    return this.sql.exec<Row>('select * from api_keys order by created_at, id').toArray().map(toKey)
  }

  /** True if there was such a key. */
  revoke(id: string): boolean {
    return this.sql.exec('delete from api_keys where id = ?', id).rowsWritten > 0
  }

  /** Takes from a member's keys what the member has lost; a key that is left with nothing goes. */
  narrow(userId: string, level: AccessLevel): void {
    for (const { id, scopes, createdBy } of this.list()) {
      if (createdBy !== userId) continue
      const left = within(scopes, level)
      if (left.length === 0) this.revoke(id)
      else this.sql.exec('update api_keys set scopes = ? where id = ?', JSON.stringify(left), id)
    }
  }

  revokeAllOf(userId: string): void {
    this.sql.exec('delete from api_keys where created_by = ?', userId)
  }

  /** The key, if the secret is right and it has not expired. Notes its use once a minute. */
  async verify(id: string, secret: string): Promise<ApiKey | null> {
    const hash = await sha256(secret)
    const row = this.row(id)
    if (!row || !equalSecrets(row.hash, hash)) return null
    const now = Date.now()
    if (row.expires_at !== null && row.expires_at <= now) return null
    if (now - (row.last_used_at ?? 0) > 60_000) {
      this.sql.exec('update api_keys set last_used_at = ? where id = ?', now, id)
    }
    return toKey(row)
  }

  private row(id: string): Row | undefined {
    return this.sql.exec<Row>('select * from api_keys where id = ?', id).toArray()[0]
  }
}

function toKey(row: Row): ApiKey {
  return {
    id: row.id,
    name: row.name,
    scopes: JSON.parse(row.scopes) as Scope[],
    createdBy: row.created_by,
    createdAt: row.created_at,
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
    ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at }),
  }
}
