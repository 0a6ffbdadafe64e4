import type { AirbyteCatalog, JsonSchema } from '../protocol/index.ts'
import { ActorDO } from './actor.ts'
import { sourceRegistry } from './platform.ts'
import type { SourceApi } from './rpc.ts'
import { guarded } from './rpc-guard.ts'

/** A stream a row: a catalog of thousands of tables is larger than a value may be. */
const MIGRATIONS = [
  'create table catalog (ord integer primary key, stream text not null, read_at integer not null)',
] as const

/** One source: the ciphertext of its secrets and the cache of its catalog. */
export class SourceDO extends ActorDO implements SourceApi {
  protected readonly kind = 'source'

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, MIGRATIONS)
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

  protected specOf(type: string): JsonSchema {
    return sourceRegistry.get(type).spec().connectionSpecification
  }
}
