import { AirbyteError, type JsonSchema } from '../protocol/index.ts'
import { ActorDO } from './actor.ts'
import { destinationRegistry } from './platform.ts'
import type { DestinationApi } from './rpc.ts'
import { guarded } from './rpc-guard.ts'

const MIGRATIONS = [
  `create table owners (
    target text primary key, connection_id text not null, connection_name text not null)`,
] as const

/** One destination: the ciphertext of its secrets, and which connection may write which table. */
export class DestinationDO extends ActorDO implements DestinationApi {
  protected readonly kind = 'destination'

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, MIGRATIONS)
  }

  async claimTables(connectionId: string, connectionName: string, tables: string[]): Promise<void> {
    return guarded(() =>
      this.ctx.storage.transactionSync(() => {
        const { sql } = this.ctx.storage
        sql.exec('delete from owners where connection_id = ?', connectionId)
        for (const table of tables) {
          const [owner] = sql.exec('select * from owners where target = ?', table).toArray()
          if (owner) throw taken(table, String(owner.connection_name))
          sql.exec('insert into owners values (?, ?, ?)', table, connectionId, connectionName)
        }
      }),
    )
  }

  async releaseTables(connectionId: string): Promise<void> {
    this.ctx.storage.sql.exec('delete from owners where connection_id = ?', connectionId)
  }

  protected specOf(type: string): JsonSchema {
    return destinationRegistry.get(type).spec().connectionSpecification
  }
}

const taken = (table: string, owner: string) =>
  new AirbyteError('TABLE_TAKEN', `The connection '${owner}' already writes to ${table}.`, {
    field: 'prefix',
  })
