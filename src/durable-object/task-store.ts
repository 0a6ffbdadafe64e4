import type { StreamKey } from '../protocol/index.ts'
import type { TaskKind, TaskRow } from './sync-rows.ts'

/** Tasks that a stream has. */
const OF_A_STREAM: TaskKind[] = ['read', 'load', 'finish']

/** A wake-up that is to be sent. */
export interface Posted {
  id: string
  kind: TaskKind
  ord: number
}

/** The tasks of one sync, and the wake-ups that are to be sent. Nothing here looks through all of them. */
export class TaskStore {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  add(id: string, kind: TaskKind, stream: StreamKey | null): void {
    this.#sql.exec(
      `insert into tasks (id, kind, stream, status) values (?, ?, ?, 'ready')
       on conflict (id) do nothing`,
      id,
      kind,
      stream,
    )
  }

  get(id: string): TaskRow | undefined {
    return this.#sql.exec('select * from tasks where id = ?', id).toArray()[0] as
      | TaskRow
      | undefined
  }

  all(): TaskRow[] {
    return this.#where('true')
  }

  ofStream(stream: StreamKey): TaskRow[] {
    const ids = OF_A_STREAM.map((kind) => `${kind}:${stream}`)
    return this.#where('id in (?, ?, ?)', ...ids)
  }

  /** That a source or a destination lets wait. */
  waiting(now: number): TaskRow[] {
    return this.#where(`status = 'ready' and not_before > ? and wait_reason is not null`, now)
  }

  /** Claimed, and the lease ran out. */
  expired(now: number): TaskRow[] {
    return this.#where(`status = 'claimed' and lease_until < ?`, now)
  }

  /** Whose wake-up was sent before `sentBefore`, and that nobody claimed. */
  unanswered(now: number, sentBefore: number): TaskRow[] {
    const query = `status = 'ready' and woken_at > 0 and woken_at < ? and not_before <= ?`
    return this.#where(query, sentBefore, now)
  }

  /** That may go on and have no wake-up on its way; who had a turn comes after those who had none. */
  unsent(kind: TaskKind, now: number, limit: number): TaskRow[] {
    const query = `status = 'ready' and kind = ? and woken_at = 0 and not_before <= ?
      order by not_before, rowid limit ?`
    return this.#where(query, kind, now, limit)
  }

  /** That may go on and was sent first of those that nobody has claimed yet. */
  unclaimed(kind: TaskKind, now: number): TaskRow[] {
    const query = `status = 'ready' and kind = ? and woken_at > 0 and not_before <= ?
      order by woken_at limit 1`
    return this.#where(query, kind, now)
  }

  /** How many of a kind somebody works on, and of how many the wake-up is on its way. */
  atWork(kind: TaskKind): { claimed: number; sent: number } {
    const query = `select
      (select count(*) from tasks where status = 'claimed' and kind = ?1) as claimed,
      (select count(*) from tasks where status = 'ready' and kind = ?1 and woken_at > 0) as sent`
    const { claimed, sent } = this.#sql.exec(query, kind).one()
    return { claimed: Number(claimed), sent: Number(sent) }
  }

  /** When the first lease ends, the first wait after `now` does, and whether a task could go on now. */
  moments(now: number): { lease: number | null; wait: number | null; goesOn: boolean } {
    const query = `select
      (select min(lease_until) from tasks where status = 'claimed') as lease,
      (select min(not_before) from tasks where status = 'ready' and not_before > ?1) as wait,
      exists (select 1 from tasks where status = 'ready' and not_before <= ?1) as goes_on`
    const { lease, wait, goes_on: goesOn } = this.#sql.exec(query, now).one()
    const orNull = (value: SqlStorageValue | undefined) => (value === null ? null : Number(value))
    return { lease: orNull(lease), wait: orNull(wait), goesOn: lease !== null || goesOn === 1 }
  }

  #where(condition: string, ...values: SqlStorageValue[]): TaskRow[] {
    const query = `select * from tasks where ${condition}`
    return this.#sql.exec(query, ...values).toArray() as unknown as TaskRow[]
  }

  update(id: string, change: Partial<TaskRow>): void {
    const row = this.get(id)
    if (!row) return
    const next = { ...row, ...change }
    this.#sql.exec(
      `update tasks set status = ?2, fence = ?3, lease_until = ?4, not_before = ?5,
       attempts = ?6, failures = ?7, woken_at = ?8, wait_reason = ?9, wait_code = ?10
       where id = ?1`,
      ...[id, next.status, next.fence, next.lease_until, next.not_before],
      ...[next.attempts, next.failures, next.woken_at, next.wait_reason, next.wait_code],
    )
  }

  /* the outbox: tasks whose wake-up has not been sent yet */

  post(taskId: string): void {
    this.#sql.exec('insert into outbox values (?) on conflict do nothing', taskId)
  }

  /** Those posted first, and the place of each one's stream among the others. */
  outbox(limit: number): Posted[] {
    const query = `select o.task, t.kind, s.ord from outbox o join tasks t on t.id = o.task
      left join streams s on s.key = t.stream order by o.rowid limit ?`
    const rows = this.#sql.exec(query, limit).toArray()
    return rows.map(({ task, kind, ord }) => ({
      ...{ id: String(task), kind: kind as TaskKind },
      ord: Number(ord ?? 0),
    }))
  }

  hasPosted(): boolean {
    return this.#sql.exec('select 1 from outbox limit 1').toArray().length > 0
  }

  unpost(taskId: string): void {
    this.#sql.exec('delete from outbox where task = ?', taskId)
  }
}
