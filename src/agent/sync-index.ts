import type { SyncStatus, SyncSummary } from '../durable-object/rpc.ts'
import type { Page, PageQuery } from '../operations/tenant.ts'

/** How long a slot stays taken without news from its sync. Reports come many times a minute. */
export const SLOT_LEASE_MS = 15 * 60_000
export const DEFAULT_SYNC_SLOTS = 10

interface Row extends Record<string, SqlStorageValue> {
  sync_id: number
  connection_id: string
  summary: string
}

/**
 * Syncs of the workspace: their numbers, their last summaries, and the slots that limit how many
 * run at once. A slot is a lease, so that a sync which vanished cannot hold it for ever.
 */
export class SyncIndex {
  private readonly sql: SqlStorage
  private readonly now: () => number

  constructor(sql: SqlStorage, now: () => number = Date.now) {
    this.sql = sql
    this.now = now
  }

  /** A number and a slot, or null. Asking again before the first report gives the same number. */
  begin(connectionId: string, slots: number): { syncId: number } | null {
    const until = this.now() + SLOT_LEASE_MS
    const [reserved] = this.sql
      .exec<{ sync_id: number }>(
        `update syncs set slot_until = ? where connection_id = ? and summary is null and slot_until > ?
         returning sync_id`,
        ...[until, connectionId, this.now()],
      )
      .toArray()
    if (reserved) return { syncId: reserved.sync_id }
    if (this.running() >= slots) return null
    const { sync_id } = this.sql
      .exec<{ sync_id: number }>(
        `insert into syncs (connection_id, status, slot_until, updated_at) values (?, 'pending', ?, ?)
         returning sync_id`,
        ...[connectionId, until, this.now()],
      )
      .one()
    return { syncId: sync_id }
  }

  /**
   * Keeps the newest report; a final status frees the slot, and nothing reopens it. A sync that only
   * waits has no slot: it takes one again when it goes on, even where others have taken all.
   */
  record(summary: SyncSummary): void {
    const { syncId, connectionId, status, updatedAt, waitingUntil } = summary
    const waits = waitingUntil !== undefined && waitingUntil > this.now()
    const until = isFinal(status) || waits ? null : this.now() + SLOT_LEASE_MS
    this.sql.exec(
      `insert into syncs (sync_id, connection_id, status, slot_until, summary, updated_at)
       values (?1, ?2, ?3, ?4, ?5, ?6)
       on conflict (sync_id) do update
         set status = ?3, slot_until = ?4, summary = ?5, updated_at = ?6
         where connection_id = ?2 and (summary is null or updated_at <= ?6)
           and status in ('pending', 'running')`,
      ...[syncId, connectionId, status, until, JSON.stringify(summary), updatedAt],
    )
  }

  /** Slots taken now. */
  running(): number {
    return this.sql
      .exec<{ n: number }>('select count(*) as n from syncs where slot_until > ?', this.now())
      .one().n
  }

  find(syncId: number): { syncId: number; connectionId: string } | null {
    const [row] = this.sql
      .exec<Row>(
        'select sync_id, connection_id from syncs where sync_id = ? and summary is not null',
        syncId,
      )
      .toArray()
    return row ? { syncId: row.sync_id, connectionId: row.connection_id } : null
  }

  /** Newest first. */
  list(query: PageQuery & { connectionId?: string; status?: SyncStatus }): Page<SyncSummary> {
    const filters: [string, string | undefined][] = [
      ['connection_id = ?', query.connectionId],
      ['status = ?', query.status],
    ]
    const used = filters.filter(([, value]) => value !== undefined)
    const where = ['summary is not null', ...used.map(([text]) => text)].join(' and ')
    const values = used.map(([, value]) => value as string)
    const { total } = this.sql
      .exec<{ total: number }>(`select count(*) as total from syncs where ${where}`, ...values)
      .one()
    const before = query.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(query.cursor)
    const rows = this.sql
      .exec<Row>(
        `select * from syncs where ${where} and sync_id < ? order by sync_id desc limit ? offset ?`,
        ...[...values, before, query.limit + 1, query.offset ?? 0],
      )
      .toArray()
    const items = rows
      .slice(0, query.limit)
      .map(({ summary }) => JSON.parse(summary) as SyncSummary)
    const more = rows.length > query.limit
    return { items, total, ...(more && { cursor: String(items.at(-1)?.syncId) }) }
  }
}

export const isFinal = (status: SyncStatus) => status !== 'pending' && status !== 'running'
