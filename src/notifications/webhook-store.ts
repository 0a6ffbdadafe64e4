import type { SealedRecord } from '../vault/index.ts'
import type { EventType, NotificationEvent } from './events.ts'

/** Deliveries kept in a workspace; older ones are dropped. */
const KEEP = 2000

/**
 * Waits before the attempts, in milliseconds: the first at once, the last after about a day. A
 * receiver that is down for a night misses nothing.
 */
export const ATTEMPT_DELAYS = [
  0, 30_000, 120_000, 600_000, 1_800_000, 7_200_000, 21_600_000, 43_200_000,
]

export interface Webhook {
  id: string
  name: string
  /** Of the address, whose path may be a secret. */
  host: string
  events: EventType[]
  /** Only what concerns this connection. */
  connectionId?: string
  /** `gone`: the receiver said by 410 that it wants no more. */
  status: 'active' | 'paused' | 'gone'
  createdAt: number
}

export interface Delivery {
  id: number
  webhookId: string
  eventId: string
  type: EventType | 'test'
  status: 'waiting' | 'delivered' | 'failed'
  attempts: number
  /** Of the next attempt, while it waits. */
  nextAt?: number
  /** What the last attempt brought; absent while one is under way. */
  httpStatus?: number
  error?: string
  createdAt: number
  deliveredAt?: number
}

export const NOTIFICATION_SCHEMA: readonly string[] = [
  `create table webhooks (
     id text primary key,
     name text not null,
     host text not null,
     events text not null,
     connection_id text,
     status text not null,
     sealed text not null,
     created_at integer not null
   ) without rowid;
   create table deliveries (
     id integer primary key autoincrement,
     webhook_id text not null,
     event_id text not null,
     type text not null,
     body text not null,
     status text not null,
     attempts integer not null,
     next_at integer,
     http_status integer,
     error text,
     created_at integer not null,
     delivered_at integer
   );
   create unique index deliveries_event on deliveries (webhook_id, event_id);
   create index deliveries_next on deliveries (next_at) where next_at is not null;
   create table watches (
     connection_id text primary key, name text not null, due_at integer not null
   ) without rowid;`,
]

interface WebhookRow extends Record<string, SqlStorageValue> {
  id: string
  name: string
  host: string
  events: string
  connection_id: string | null
  status: Webhook['status']
  sealed: string
  created_at: number
}

interface DeliveryRow extends Record<string, SqlStorageValue> {
  id: number
  webhook_id: string
  event_id: string
  type: Delivery['type']
  body: string
  status: Delivery['status']
  attempts: number
  next_at: number | null
  http_status: number | null
  error: string | null
  created_at: number
  delivered_at: number | null
}

/** Webhooks of one workspace and what was, or is to be, delivered to them. */
export class WebhookStore {
  private readonly sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.sql = sql
  }

  add(webhook: Webhook, sealed: SealedRecord): void {
    const { id, name, host, events, connectionId, status, createdAt } = webhook
    this.sql.exec(
      'insert into webhooks values (?, ?, ?, ?, ?, ?, ?, ?)',
      ...[id, name, host, JSON.stringify(events), connectionId ?? null, status],
      ...[JSON.stringify(sealed), createdAt],
    )
  }

  list(): Webhook[] {
    return this.sql
      .exec<WebhookRow>('select * from webhooks order by created_at, id')
      .toArray()
      .map(toWebhook)
  }

  get(id: string): (Webhook & { sealed: SealedRecord }) | null {
    const [row] = this.sql.exec<WebhookRow>('select * from webhooks where id = ?', id).toArray()
    return row ? { ...toWebhook(row), sealed: JSON.parse(row.sealed) as SealedRecord } : null
  }

  change(id: string, { name, events, status }: Partial<Webhook>): void {
    this.sql.exec(
      `update webhooks set name = coalesce(?, name), events = coalesce(?, events),
         status = coalesce(?, status) where id = ?`,
      ...[name ?? null, events ? JSON.stringify(events) : null, status ?? null, id],
    )
  }

  remove(id: string): boolean {
    this.sql.exec('delete from deliveries where webhook_id = ?', id)
    return this.sql.exec('delete from webhooks where id = ?', id).rowsWritten > 0
  }

  /** Lines an event up for each webhook that wants it; what is there already is left alone. */
  enqueue(event: NotificationEvent, body: string): void {
    for (const webhook of this.list()) {
      const isMeant = !webhook.connectionId || webhook.connectionId === event.connectionId
      if (webhook.status !== 'active' || !isMeant || !webhook.events.includes(event.type)) continue
      this.put(webhook.id, event.id, event.type, body)
    }
  }

  put(webhookId: string, eventId: string, type: Delivery['type'], body: string): void {
    const now = Date.now()
    this.sql.exec(
      `insert into deliveries (webhook_id, event_id, type, body, status, attempts, next_at, created_at)
       values (?, ?, ?, ?, 'waiting', 0, ?, ?) on conflict do nothing`,
      ...[webhookId, eventId, type, body, now, now],
    )
    this.sql.exec(
      `delete from deliveries where next_at is null
         and id <= (select max(id) from deliveries) - ?`,
      KEEP,
    )
  }

  /**
   * Takes what is due, and at once sets when it is due again: an attempt that a crash cut short
   * counts, and is followed by the next one.
   */
  takeDue(now: number, limit: number): (Delivery & { body: string })[] {
    const due = this.sql
      .exec<DeliveryRow>(
        'select * from deliveries where next_at <= ? order by next_at limit ?',
        now,
        limit,
      )
      .toArray()
    for (const { id, attempts } of due) {
      const delay = ATTEMPT_DELAYS[attempts + 1] ?? ATTEMPT_DELAYS.at(-1) ?? 0
      const jitter = 0.9 + Math.random() * 0.2
      this.sql.exec(
        'update deliveries set attempts = attempts + 1, next_at = ?, error = null where id = ?',
        ...[now + Math.round(delay * jitter), id],
      )
    }
    return due.map((row) => ({ ...toDelivery(row), attempts: row.attempts + 1, body: row.body }))
  }

  delivered(id: number, httpStatus: number): void {
    this.sql.exec(
      `update deliveries set status = 'delivered', next_at = null, http_status = ?, error = null,
         delivered_at = ? where id = ?`,
      ...[httpStatus, Date.now(), id],
    )
  }

  /** The next attempt stays as `takeDue` set it, unless this was the last. */
  missed({ id, attempts }: Delivery, error: string, httpStatus?: number): void {
    const isLast = attempts >= ATTEMPT_DELAYS.length
    this.sql.exec(
      `update deliveries set error = ?, http_status = ?, status = ?,
         next_at = case when ? then null else next_at end where id = ?`,
      ...[error, httpStatus ?? null, isLast ? 'failed' : 'waiting', Number(isLast), id],
    )
  }

  /** No more attempts for what waits for this webhook. */
  giveUp(webhookId: string, error: string): void {
    this.sql.exec(
      `update deliveries set status = 'failed', next_at = null, error = ?
       where webhook_id = ? and status = 'waiting'`,
      ...[error, webhookId],
    )
  }

  /** From the first attempt on, with the same event id. False: there is no such delivery. */
  replay(id: number): boolean {
    return (
      this.sql.exec(
        `update deliveries set status = 'waiting', attempts = 0, next_at = ? where id = ?`,
        ...[Date.now(), id],
      ).rowsWritten > 0
    )
  }

  /** Newest first; `before` is the id of the last one of the page before. */
  deliveries(limit: number, before = Number.MAX_SAFE_INTEGER, webhookId?: string): Delivery[] {
    return this.sql
      .exec<DeliveryRow>(
        `select * from deliveries where id < ?1 and (?2 is null or webhook_id = ?2)
         order by id desc limit ?3`,
        ...[before, webhookId ?? null, limit],
      )
      .toArray()
      .map(toDelivery)
  }

  /** When the rows of a connection become late; null: it has no target, or is gone. */
  watch({ id, name }: { id: string; name: string }, dueAt: number | null): void {
    if (dueAt === null) this.sql.exec('delete from watches where connection_id = ?', id)
    else {
      this.sql.exec(
        `insert into watches values (?1, ?2, ?3)
         on conflict (connection_id) do update set name = ?2, due_at = ?3`,
        ...[id, name, dueAt],
      )
    }
  }

  takeLate(now: number): { id: string; name: string; dueAt: number }[] {
    return this.sql
      .exec<{ connection_id: string; name: string; due_at: number }>(
        'delete from watches where due_at <= ? returning *',
        now,
      )
      .toArray()
      .map(({ connection_id: id, name, due_at: dueAt }) => ({ id, name, dueAt }))
  }

  /** When there is something to do next. */
  nextAt(): number | null {
    return this.sql
      .exec<{ at: number | null }>(
        `select min(at) as at from (select min(next_at) as at from deliveries
           union all select min(due_at) from watches)`,
      )
      .one().at
  }
}

const toWebhook = (row: WebhookRow): Webhook => ({
  ...{ id: row.id, name: row.name, host: row.host, status: row.status },
  events: JSON.parse(row.events) as EventType[],
  connectionId: row.connection_id ?? undefined,
  createdAt: row.created_at,
})

const toDelivery = (row: DeliveryRow): Delivery => ({
  ...{ id: row.id, webhookId: row.webhook_id, eventId: row.event_id, type: row.type },
  ...{ status: row.status, attempts: row.attempts, createdAt: row.created_at },
  nextAt: row.next_at ?? undefined,
  httpStatus: row.http_status ?? undefined,
  error: row.error ?? undefined,
  deliveredAt: row.delivered_at ?? undefined,
})
