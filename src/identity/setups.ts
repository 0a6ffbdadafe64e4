import type { Setup, SetupRequest, SetupState } from '../http/setup-contract.ts'
import { randomText } from './crypto.ts'

const LIFETIME_MS = 15 * 60_000
/** How long a used or expired setup still answers `get_setup`. */
const MEMORY_MS = 24 * 3600_000

export const SETUPS_SCHEMA = `
  create table setups (
    id text primary key,
    tenant text not null,
    entity text not null,
    entity_id text not null,
    name text not null,
    connector text not null,
    subject text not null,
    expires_at integer not null,
    completed_at integer
  ) without rowid;
`

interface Row extends Record<string, SqlStorageValue> {
  id: string
  tenant: string
  entity: SetupRequest['entity']
  entity_id: string
  name: string
  connector: string
  subject: string
  expires_at: number
  completed_at: number | null
}

/** A setup as the page sees it. */
export interface SetupDetails
  extends SetupRequest,
    Omit<SetupState, keyof SetupRequest | 'setupUrl'> {}

/** The setup links of one workspace: short-lived, single use, one alive per source or destination. */
export class Setups {
  private readonly sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.sql = sql
  }

  create(request: SetupRequest): Omit<Setup, 'setupUrl'> {
    const now = Date.now()
    const setupId = `${request.tenantId}.${randomText(24)}`
    const expiresAt = now + LIFETIME_MS
    this.sql.exec('delete from setups where expires_at < ?', now - MEMORY_MS)
    this.sql.exec(
      'update setups set expires_at = ? where entity_id = ? and completed_at is null and expires_at > ?',
      now,
      request.entityId,
      now,
    )
    this.sql.exec(
      'insert into setups values (?, ?, ?, ?, ?, ?, ?, ?, null)',
      setupId,
      request.tenantId,
      request.entity,
      request.entityId,
      request.name,
      request.connector,
      request.subject,
      expiresAt,
    )
    return { setupId, expiresAt }
  }

  get(setupId: string): SetupDetails | null {
    const [row] = this.sql.exec<Row>('select * from setups where id = ?', setupId).toArray()
    if (!row) return null
    return {
      setupId: row.id,
      tenantId: row.tenant,
      entity: row.entity,
      entityId: row.entity_id,
      name: row.name,
      connector: row.connector,
      subject: row.subject,
      expiresAt: row.expires_at,
      status: statusOf(row),
    }
  }

  /** Uses the link up. False if it was used or has expired: then nothing may be written with it. */
  complete(setupId: string): boolean {
    const now = Date.now()
    const used = this.sql.exec(
      'update setups set completed_at = ? where id = ? and completed_at is null and expires_at > ?',
      now,
      setupId,
      now,
    )
    return used.rowsWritten > 0
  }

  /** Gives a link back whose credentials were refused, so that the person can correct them. */
  reopen(setupId: string): void {
    this.sql.exec('update setups set completed_at = null where id = ?', setupId)
  }
}

function statusOf(row: Row): SetupState['status'] {
  if (row.completed_at !== null) return 'completed'
  return row.expires_at > Date.now() ? 'waiting' : 'expired'
}
