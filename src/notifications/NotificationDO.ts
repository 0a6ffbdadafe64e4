import { DurableObject } from 'cloudflare:workers'
import { v7 as uuidv7 } from 'uuid'
import { migrate } from '../durable-object/migrations.ts'
import { budgetOf, connectorContext } from '../durable-object/platform.ts'
import { guarded } from '../durable-object/rpc-guard.ts'
import { AirbyteError } from '../protocol/index.ts'
import { createVault } from '../vault/index.ts'
import { deliver } from './deliver.ts'
import { type EventType, lateEvent, type NotificationEvent } from './events.ts'
import { newSecret } from './signature.ts'
import { type Delivery, NOTIFICATION_SCHEMA, type Webhook, WebhookStore } from './webhook-store.ts'

/** Deliveries under way at once. */
const AT_ONCE = 10
/** Attempts of an alarm may take this long together. */
const ALARM_MS = 30_000

export interface NewWebhook {
  tenantId: string
  name: string
  url: string
  events: EventType[]
  connectionId?: string
}

/**
 * The webhooks of one workspace, named by its id: takes events, delivers them signed, tries again
 * with growing waits, and keeps a record. It also rings when the rows of a connection get late.
 */
export class NotificationDO extends DurableObject<Env> {
  readonly #store: WebhookStore

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    migrate(ctx.storage, NOTIFICATION_SCHEMA)
    this.#store = new WebhookStore(ctx.storage.sql)
  }

  /** The secret is seen only here. */
  create({ tenantId, name, url, events, connectionId }: NewWebhook) {
    return guarded(async () => {
      this.ctx.storage.kv.put('tenantId', tenantId)
      const id = uuidv7()
      const secret = newSecret()
      const webhook: Webhook = {
        ...{ id, name, host: new URL(url).host, events, connectionId },
        ...{ status: 'active', createdAt: Date.now() },
      }
      this.#store.add(webhook, await this.#vault().seal(this.#scope(id), { url, secret }))
      return { webhook, secret }
    })
  }

  list() {
    return guarded(() => this.#store.list())
  }

  change(id: string, change: Pick<Partial<Webhook>, 'name' | 'events' | 'status'>) {
    return guarded((): Webhook => {
      this.#known(id)
      this.#store.change(id, change)
      if (change.status === 'paused') this.#store.giveUp(id, 'The webhook was paused.')
      return visible(this.#known(id))
    })
  }

  remove(id: string) {
    return guarded(() => {
      this.#known(id)
      this.#store.remove(id)
    })
  }

  /** Sends one event to one webhook, whatever it wants. */
  sendTest(id: string) {
    return guarded(async () => {
      this.#known(id)
      const event = { type: 'test', timestamp: new Date().toISOString(), data: {} }
      this.#store.put(id, `test.${crypto.randomUUID()}`, 'test', JSON.stringify(event))
      await this.#arm()
    })
  }

  /** Takes events, once each. What is due is sent by the alarm, so that no sync waits for a receiver. */
  emit(events: NotificationEvent[]) {
    return guarded(async () => {
      for (const event of events) this.#enqueue(event)
      await this.#arm()
    })
  }

  watch(connection: { id: string; name: string }, dueAt: number | null) {
    return guarded(async () => {
      this.#store.watch(connection, dueAt)
      await this.#arm()
    })
  }

  deliveries(limit: number, before?: number, webhookId?: string) {
    return guarded(() => {
      if (webhookId !== undefined) this.#known(webhookId)
      return this.#store.deliveries(limit, before, webhookId)
    })
  }

  replay(deliveryId: number) {
    return guarded(async () => {
      if (!this.#store.replay(deliveryId)) {
        const message = `There is no delivery ${deliveryId}.`
        throw new AirbyteError('NOT_FOUND', message, { field: 'delivery' })
      }
      await this.#arm()
    })
  }

  override async alarm(): Promise<void> {
    const late = this.#store.takeLate(Date.now())
    for (const connection of late) this.#enqueue(lateEvent(connection, connection.dueAt))
    const due = this.#store.takeDue(Date.now(), AT_ONCE)
    await this.#arm()
    await Promise.all(due.map((delivery) => this.#attempt(delivery)))
    await this.#arm()
  }

  async #attempt(delivery: Delivery & { body: string }): Promise<void> {
    const webhook = this.#store.get(delivery.webhookId)
    if (!webhook) return
    const opened = await this.#vault().open(this.#scope(webhook.id), webhook.sealed)
    const { url, secret } = opened as { url: string; secret: string }
    const { http } = connectorContext(this.env, this.#tenantId, {
      signal: AbortSignal.timeout(ALARM_MS),
      ...{ log: () => {}, budget: budgetOf(ALARM_MS) },
    })
    const { eventId: id, body } = delivery
    const outcome = await deliver(http, { url, secret, id, body })
    if (outcome.ok) return this.#store.delivered(delivery.id, outcome.httpStatus)
    this.#store.missed(delivery, outcome.error, outcome.httpStatus)
    if (outcome.httpStatus === 410) {
      this.#store.change(webhook.id, { status: 'gone' })
      this.#store.giveUp(webhook.id, 'The receiver answered 410: it wants no more.')
    }
  }

  #enqueue(event: NotificationEvent): void {
    const { type, timestamp, data } = event
    const { PUBLIC_URL } = this.env
    const url = `${PUBLIC_URL}/w/${this.#tenantId}/connections/${event.connectionId}`
    this.#store.enqueue(event, JSON.stringify({ type, timestamp, data: { ...data, url } }))
  }

  async #arm(): Promise<void> {
    const next = this.#store.nextAt()
    if (next === null) await this.ctx.storage.deleteAlarm()
    else await this.ctx.storage.setAlarm(Math.max(next, Date.now()))
  }

  #known(id: string) {
    const webhook = this.#store.get(id)
    if (webhook) return webhook
    throw new AirbyteError('NOT_FOUND', `There is no webhook '${id}'.`, { field: 'webhook' })
  }

  get #tenantId(): string {
    return this.ctx.storage.kv.get<string>('tenantId') ?? this.ctx.id.name ?? ''
  }

  #scope(id: string) {
    return { tenantId: this.#tenantId, entity: `webhook:${id}` }
  }

  #vault() {
    const { ENCRYPTION_KEYS: keys } = this.env as { ENCRYPTION_KEYS?: string }
    return createVault({ keys, localMode: this.env.LOCAL_MODE === 'on' })
  }
}

const visible = ({ sealed: _, ...webhook }: Webhook & { sealed: unknown }): Webhook => webhook
