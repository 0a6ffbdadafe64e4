import { type AirbyteCatalog, type JsonObject, valueIn } from '../protocol/index.ts'
import type { CallLeases } from '../runtime/call-leases.ts'
import type { CallRates } from '../runtime/call-window.ts'
import type {
  CallLease,
  CallsLeft,
  CallWish,
  RefreshedToken,
  Spec,
  Token,
  TokenRefresh,
  UnusedCalls,
} from '../runtime/contract.ts'
import { mergeSecrets, rewriteConfig, type SealedRecord, setValues } from '../vault/index.ts'
import { ActorDO } from './actor.ts'
import { CALL_TABLE, callLeases } from './call-leases.ts'
import { sourceRegistry } from './platform.ts'
import type { SourceApi } from './rpc.ts'
import { guarded } from './rpc-guard.ts'
import { SEAT_TABLE, Seats } from './seats.ts'
import { TOKEN_TABLE, TokenKeeper } from './token-keeper.ts'

/** A stream a row: a catalog of thousands of tables is larger than a value may be. */
const MIGRATIONS = [
  'create table catalog (ord integer primary key, stream text not null, read_at integer not null)',
  TOKEN_TABLE,
  SEAT_TABLE,
  CALL_TABLE,
] as const

/**
 * One source: the ciphertext of its secrets, its tokens, which it alone lets be refreshed, the
 * seats and the calls at its API that its runs share, and the cache of its catalog.
 */
export class SourceDO extends ActorDO implements SourceApi {
  protected readonly kind = 'source'
  readonly #tokens: TokenKeeper
  readonly #seats: Seats
  readonly #calls: CallLeases

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, MIGRATIONS)
    this.#seats = new Seats(ctx.storage.sql)
    this.#calls = callLeases(ctx.storage.sql)
    this.#tokens = new TokenKeeper(ctx.storage.sql, {
      open: () => this.open(),
      seal: async (token) => JSON.stringify(await this.seal('token', token)),
      unseal: (sealed) => this.unseal('token', JSON.parse(sealed) as SealedRecord),
      change: (changes, given, alongside) =>
        this.rewrite((spec, stored) => {
          const now = mergeSecrets(stored)
          // Values that are compared are texts.
          const isTheirs = changes.some(
            ({ path, secret }) => secret && valueIn(now, path) !== valueIn(given, path),
          )
          return isTheirs ? null : setValues(spec, stored, changes)
        }, alongside),
    })
  }

  async token(key: string, refresh: TokenRefresh, stale?: string): Promise<Token> {
    return guarded(() => this.#tokens.token(key, refresh, stale))
  }

  async keepToken(key: string, fresh: RefreshedToken, given: JsonObject, edition: number) {
    return guarded(() => this.#tokens.keep(key, fresh, { config: given, edition }))
  }

  async saveConfig(config: JsonObject, edition: number): Promise<void> {
    await this.rewrite((spec, stored, now) =>
      now === edition ? rewriteConfig(spec, stored, this.entered(config)) : null,
    )
  }

  async takeSeat(key: string, holder: string, limit: number, forMs: number): Promise<boolean> {
    return guarded(() => this.#seats.take(key, holder, limit, forMs))
  }

  async leaveSeat(key: string, holder: string): Promise<void> {
    return guarded(() => this.#seats.leave(key, holder))
  }

  async takeCalls(key: string, rates: CallRates, wish: CallWish): Promise<CallLease> {
    return guarded(() => this.#calls.take(key, rates, wish))
  }

  async giveBackCalls(key: string, rates: CallRates, back: UnusedCalls): Promise<void> {
    return guarded(() => this.#calls.giveBack(key, rates, back))
  }

  async learnCalls(key: string, rates: CallRates, said: Partial<CallsLeft>): Promise<CallsLeft> {
    return guarded(() => this.#calls.learn(key, rates, said))
  }

  protected override configEntered(): void {
    this.#tokens.forget()
  }

  async catalog(): Promise<{ catalog: AirbyteCatalog; discoveredAt: number } | null> {
    return guarded(() => {
      const rows = this.ctx.storage.sql.exec('select * from catalog order by ord').toArray()
      const discoveredAt = this.ctx.storage.kv.get<number>('discoveredAt')
      if (discoveredAt === undefined) return null
      const streams = rows.map((row) => JSON.parse(String(row.stream)))
      return { catalog: { streams }, discoveredAt }
    })
  }

  async saveCatalog(catalog: AirbyteCatalog): Promise<void> {
    return guarded(() =>
      this.ctx.storage.transactionSync(() => {
        const { sql, kv } = this.ctx.storage
        const now = Date.now()
        sql.exec('delete from catalog')
        catalog.streams.forEach((stream, ord) => {
          sql.exec('insert into catalog values (?, ?, ?)', ord, JSON.stringify(stream), now)
        })
        kv.put('discoveredAt', now)
      }),
    )
  }

  protected builtInSpec(type: string): Spec {
    return sourceRegistry.get(type).spec()
  }
}
