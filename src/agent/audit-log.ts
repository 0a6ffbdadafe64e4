import type { AuditEntry } from '../operations/refs.ts'
import type { Page, PageQuery } from '../operations/tenant.ts'

/** Entries kept; older ones are dropped. */
const KEEP = 50_000

interface Row extends Record<string, SqlStorageValue> {
  seq: number
  at: number
  subject: string
  caller_kind: string
  client_id: string | null
  face: string
  op: string
  targets: string
  outcome: 'allowed' | 'refused'
}

/** Who did what to what, newest last. Arguments are not kept: they may hold data. */
export class AuditLog {
  private readonly sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.sql = sql
  }

  append(entry: Omit<AuditEntry, 'seq' | 'at'>): void {
    const { subject, callerKind, clientId, face, op, targets, outcome } = entry
    const { seq } = this.sql
      .exec<{ seq: number }>(
        `insert into audit (at, subject, caller_kind, client_id, face, op, targets, outcome)
         values (?, ?, ?, ?, ?, ?, ?, ?) returning seq`,
        ...[Date.now(), subject, callerKind, clientId ?? null, face, op],
        ...[JSON.stringify(targets), outcome],
      )
      .one()
    if (seq % 1000 === 0) this.sql.exec('delete from audit where seq <= ?', seq - KEEP)
  }

  /** Newest first. */
  list({ limit, cursor, offset = 0 }: PageQuery): Page<AuditEntry> {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor)
    const rows = this.sql
      .exec<Row>(
        'select * from audit where seq < ? order by seq desc limit ? offset ?',
        ...[before, limit + 1, offset],
      )
      .toArray()
    const { total } = this.sql.exec<{ total: number }>('select count(*) as total from audit').one()
    const items = rows.slice(0, limit).map(toEntry)
    return { items, total, ...(rows.length > limit && { cursor: String(items.at(-1)?.seq) }) }
  }
}

function toEntry({ caller_kind, client_id, targets, ...row }: Row): AuditEntry {
  return {
    seq: row.seq,
    at: row.at,
    subject: row.subject,
    callerKind: caller_kind,
    clientId: client_id ?? undefined,
    face: row.face,
    op: row.op,
    targets: JSON.parse(targets) as string[],
    outcome: row.outcome,
  }
}
