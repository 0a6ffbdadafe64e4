import { DurableObject } from 'cloudflare:workers'
import { migrate } from '../durable-object/migrations.ts'
import { authorizationServer } from './authorization-server.ts'
import {
  EXPIRING_STORE_SCHEMA,
  ExpiringStore,
  type KeyPage,
  type StoredValue,
} from './expiring-store.ts'
import { oauthEnv } from './oauth-kv.ts'
import { originOf } from './origin.ts'
import { TokenDesk } from './token-desk.ts'

const MIGRATIONS = [EXPIRING_STORE_SCHEMA]

/**
 * One shard of the OAuth records. Workers KV has no compare-and-swap and is eventually consistent,
 * so a code could be redeemed twice and a refresh be lost; here each user's grants and tokens
 * live in one object, and the requests that change a grant run inside it, one after the other.
 */
export class OAuthStoreDO extends DurableObject<Env> {
  private readonly entries: ExpiringStore
  private readonly desk: TokenDesk

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.entries = new ExpiringStore(ctx.storage.sql)
    this.desk = new TokenDesk(this.entries, (expiration) => this.arm(expiration))
  }

  /** An emptied object has no tables; the next use makes them anew. */
  private get store(): ExpiringStore {
    migrate(this.ctx.storage, MIGRATIONS)
    return this.entries
  }

  get(key: string): StoredValue | null {
    return this.store.get(key)
  }

  async put(key: string, entry: { value: string; metadata?: unknown; expiration?: number }) {
    this.store.put(key, entry)
    await this.arm(entry.expiration)
  }

  delete(key: string): void {
    this.store.delete(key)
  }

  /** Reads a value and deletes it at once: of two callers one gets it. */
  take(key: string): string | null {
    const stored = this.store.get(key)
    this.store.delete(key)
    return stored?.value ?? null
  }

  list(options: { prefix: string; limit: number; cursor?: string }): KeyPage {
    return this.store.list(options)
  }

  /** The token endpoint for requests that concern a grant of this shard's user. */
  override fetch(request: Request): Promise<Response> {
    const server = authorizationServer(originOf(new URL(request.url), this.env))
    const env = oauthEnv(this.env, { name: this.ctx.id.name ?? '', shard: this })
    const ctx = this.ctx as unknown as ExecutionContext
    migrate(this.ctx.storage, MIGRATIONS)
    return this.desk.answer(request, (copy) => server.fetch(copy, env, ctx))
  }

  override async alarm(): Promise<void> {
    const { next, empty } = this.store.sweep()
    if (next !== null) await this.arm(next)
    else if (empty) await this.ctx.storage.deleteAll()
  }

  /** Sees that an alarm comes at or before this moment, in epoch seconds. */
  private async arm(expiration: number | undefined): Promise<void> {
    if (expiration === undefined) return
    const at = expiration * 1000 + 1000
    const armed = await this.ctx.storage.getAlarm()
    if (armed === null || armed > at) await this.ctx.storage.setAlarm(at)
  }
}
