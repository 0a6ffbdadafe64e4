export interface StoredValue {
  value: string
  /** JSON that the writer attached. */
  metadata: unknown
  /** Epoch seconds; absent: never. */
  expiration?: number
}

export interface StoredKey {
  name: string
  expiration?: number
  metadata?: unknown
}

export interface KeyPage {
  keys: StoredKey[]
  /** Pass as `cursor` for the next page; absent on the last. */
  cursor?: string
}

interface Row extends Record<string, SqlStorageValue> {
  key: string
  value: string
  metadata: string | null
  expires: number | null
}

/** Table of `ExpiringStore`; docs/storage.md describes it. */
export const EXPIRING_STORE_SCHEMA = `
  create table entries (
    key text primary key,
    value text not null,
    metadata text,
    expires integer
  ) without rowid;
  create index entries_by_expiry on entries (expires) where expires is not null;
`

/**
 * Keys with a lifetime in one object's SQLite: what is written is what the next reader sees.
 * Expired entries are invisible at once and erased by the object's alarm.
 */
export class ExpiringStore {
  private readonly sql: SqlStorage
  private readonly now: () => number

  constructor(sql: SqlStorage, now: () => number = () => Math.floor(Date.now() / 1000)) {
    this.sql = sql
    this.now = now
  }

  get(key: string): StoredValue | null {
    const [row] = this.sql
      .exec<Row>(
        'select * from entries where key = ? and (expires is null or expires > ?)',
        key,
        this.now(),
      )
      .toArray()
    if (!row) return null
    return { value: row.value, metadata: parseMetadata(row), expiration: row.expires ?? undefined }
  }

  put(key: string, entry: { value: string; metadata?: unknown; expiration?: number }): void {
    this.sql.exec(
      'insert or replace into entries (key, value, metadata, expires) values (?, ?, ?, ?)',
      key,
      entry.value,
      entry.metadata === undefined ? null : JSON.stringify(entry.metadata),
      entry.expiration ?? null,
    )
  }

  delete(key: string): void {
    this.sql.exec('delete from entries where key = ?', key)
  }

  deletePrefix(prefix: string): void {
    this.sql.exec('delete from entries where key >= ? and key < ?', prefix, after(prefix))
  }

  /** Keys that start with `prefix`, in order, after `cursor`. */
  list(options: { prefix: string; limit: number; cursor?: string }): KeyPage {
    const { prefix, limit, cursor } = options
    const rows = this.sql
      .exec<Row>(
        `select key, metadata, expires from entries
         where key >= ? and key < ? and key > ? and (expires is null or expires > ?)
         order by key limit ?`,
        prefix,
        after(prefix),
        cursor ?? '',
        this.now(),
        limit + 1,
      )
      .toArray()
    const keys = rows.slice(0, limit).map((row) => ({
      name: row.key,
      ...(row.expires === null ? {} : { expiration: row.expires }),
      ...(row.metadata === null ? {} : { metadata: parseMetadata(row) }),
    }))
    return rows.length > limit ? { keys, cursor: keys.at(-1)?.name } : { keys }
  }

  /** Erases what has expired; returns when the next entry does, in epoch seconds, and if any is left. */
  sweep(): { next: number | null; empty: boolean } {
    this.sql.exec('delete from entries where expires <= ?', this.now())
    const row = this.sql
      .exec<{ next: number | null; total: number }>(
        'select min(expires) as next, count(*) as total from entries',
      )
      .one()
    return { next: row.next, empty: row.total === 0 }
  }
}

function parseMetadata(row: Row): unknown {
  return row.metadata === null ? null : JSON.parse(row.metadata)
}

/** The least text greater than everything that starts with `prefix`. */
function after(prefix: string): string {
  return `${prefix}\u{10ffff}`
}
