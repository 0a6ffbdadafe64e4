import { AirbyteError } from '../protocol/index.ts'
import type { Spec } from '../runtime/contract.ts'
import { ActorDO } from './actor.ts'
import { destinationRegistry, destinationStub } from './platform.ts'
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
    return guarded(async () => {
      const place = await this.#place()
      await this.releaseTables(connectionId)
      if (place !== undefined) this.ctx.storage.kv.put(`place:${connectionId}`, place)
      await this.#ownerOf(place).own(connectionId, connectionName, tables)
    })
  }

  async addTables(connectionId: string, connectionName: string, tables: string[]): Promise<void> {
    return guarded(async () => {
      const place = await this.#place()
      if (place !== undefined) this.ctx.storage.kv.put(`place:${connectionId}`, place)
      await this.#ownerOf(place).own(connectionId, connectionName, tables)
    })
  }

  async checkTables(connectionId: string, tables: string[]): Promise<void> {
    return guarded(async () => this.#ownerOf(await this.#place()).refuse(connectionId, tables))
  }

  async releaseTables(connectionId: string): Promise<void> {
    return guarded(async () => {
      const place = this.ctx.storage.kv.get<string>(`place:${connectionId}`)
      await this.#ownerOf(place).disown(connectionId)
      this.ctx.storage.kv.delete(`place:${connectionId}`)
    })
  }

  /** Takes the tables for a connection, all or none. */
  async own(connectionId: string, connectionName: string, tables: string[]): Promise<void> {
    return guarded(() =>
      this.ctx.storage.transactionSync(() => {
        const { sql } = this.ctx.storage
        this.#refuse(connectionId, tables)
        for (const table of tables) {
          sql.exec(
            'insert or ignore into owners values (?, ?, ?)',
            table,
            connectionId,
            connectionName,
          )
        }
      }),
    )
  }

  /** Refuses tables that another connection has. */
  async refuse(connectionId: string, tables: string[]): Promise<void> {
    return guarded(async () => this.#refuse(connectionId, tables))
  }

  #refuse(connectionId: string, tables: string[]): void {
    const query = 'select * from owners where target = ? and connection_id <> ?'
    for (const table of tables) {
      const [owner] = this.ctx.storage.sql.exec(query, table, connectionId).toArray()
      if (owner) throw taken(table, String(owner.connection_name))
    }
  }

  async disown(connectionId: string): Promise<void> {
    this.ctx.storage.sql.exec('delete from owners where connection_id = ?', connectionId)
  }

  /** Who keeps the owners: this object, or one for all destinations that write to the same place. */
  #ownerOf(place: string | undefined): Pick<DestinationDO, 'own' | 'disown' | 'refuse'> {
    if (place === undefined) return this
    const [tenantId] = (this.ctx.id.name ?? '').split(':')
    return destinationStub(this.env, `${tenantId}`, `place:${place}`) as unknown as DestinationDO
  }

  async #place(): Promise<string | undefined> {
    const { type, config } = await this.get()
    return destinationRegistry.get(type).place?.(config)
  }

  protected builtInSpec(type: string): Spec {
    return destinationRegistry.get(type).spec()
  }
}

const taken = (table: string, owner: string) =>
  new AirbyteError('TABLE_TAKEN', `The connection '${owner}' already writes to ${table}.`, {
    field: 'prefix',
  })
