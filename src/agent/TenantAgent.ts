import { Agent } from 'agents'
import { migrate } from '../durable-object/migrations.ts'
import type { ConnectionRecord, SyncStatus, SyncSummary } from '../durable-object/rpc.ts'
import { guarded } from '../durable-object/rpc-guard.ts'
import { entityObjects } from '../operations/objects.ts'
import type { RefRequest, ResolvedRef } from '../operations/refs.ts'
import type {
  ConnectorRelease,
  EntityKind,
  PageQuery,
  TenantAgentApi,
  WorkspaceConnector,
  WorkspaceRecord,
} from '../operations/tenant.ts'
import { toAirbyteError } from '../protocol/index.ts'
import { AuditLog } from './audit-log.ts'
import { ConnectorIndex } from './connector-index.ts'
import { EntityIndex, notFound } from './entity-index.ts'
import { TENANT_SCHEMA } from './schema.ts'
import { DEFAULT_SYNC_SLOTS, SyncIndex } from './sync-index.ts'

/** Seconds after which something half created or half deleted is put right. */
const REPAIR_AFTER_S = 120

/**
 * The agent of one workspace, named by its id: the index of what the workspace has, names, access,
 * audit and sync slots. It is asked at the start and the end of things; no data passes through it
 * and it never waits for another system.
 */
export class TenantAgent extends Agent<Env> implements TenantAgentApi {
  private readonly entities: EntityIndex
  private readonly connectorIndex: ConnectorIndex
  private readonly syncIndex: SyncIndex
  private readonly auditLog: AuditLog

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    migrate(ctx.storage, TENANT_SCHEMA)
    this.entities = new EntityIndex(ctx.storage.sql)
    this.connectorIndex = new ConnectorIndex(ctx.storage)
    this.syncIndex = new SyncIndex(ctx.storage.sql)
    this.auditLog = new AuditLog(ctx.storage.sql)
  }

  authorize(request: Parameters<TenantAgentApi['authorize']>[0]) {
    return guarded((): { refs: ResolvedRef[] } => {
      const { op, face, caller, allowed } = request
      const { subject, kind: callerKind, clientId } = caller
      const entry = { op, face, subject, callerKind, clientId }
      try {
        const refs = request.refs.map((ref) => this.resolve(ref))
        const targets = refs.map(({ id }) => id)
        this.auditLog.append({ ...entry, targets, outcome: allowed ? 'allowed' : 'refused' })
        return { refs }
      } catch (error) {
        const targets = request.refs.map(({ value }) => value.slice(0, 100))
        this.auditLog.append({ ...entry, targets, outcome: 'refused' })
        throw error
      }
    })
  }

  workspace() {
    return guarded((): WorkspaceRecord => {
      const { kv } = this.ctx.storage
      const createdAt = kv.get<number>('createdAt') ?? Date.now()
      kv.put('createdAt', createdAt)
      return {
        id: this.tenantId,
        name: kv.get<string>('name') ?? this.tenantId,
        createdAt,
        counts: {
          sources: this.entities.count('source'),
          destinations: this.entities.count('destination'),
          connections: this.entities.count('connection'),
        },
        runningSyncs: this.syncIndex.running(),
        syncSlots: this.slots,
      }
    })
  }

  async setName(name: string) {
    this.ctx.storage.kv.put('name', name)
    return this.workspace()
  }

  reserve(entry: Parameters<TenantAgentApi['reserve']>[0]) {
    return guarded(async () => {
      if (entry.connectorId !== undefined) this.connectorIndex.get(entry.connectorId)
      const row = this.entities.reserve(entry)
      await this.scheduleRepair()
      return row
    })
  }

  activate(id: string, row: { status: string; nextRunAt?: number }) {
    return guarded(() => this.entities.activate(id, row))
  }

  release(id: string) {
    return guarded(() => this.entities.release(id))
  }

  touch(id: string, change: { name?: string; status?: string }) {
    return guarded(() => this.entities.touch(id, change))
  }

  bury(id: string) {
    return guarded(async () => {
      this.entities.bury(id)
      await this.scheduleRepair()
    })
  }

  forget(id: string) {
    return guarded(() => this.entities.forget(id))
  }

  find(kind: EntityKind, nameOrId: string) {
    return guarded(() => this.entities.find(kind, nameOrId))
  }

  list(query: Parameters<TenantAgentApi['list']>[0]) {
    return guarded(() => this.entities.list(query))
  }

  connectors() {
    return guarded(() => this.connectorIndex.list())
  }

  connector(id: string) {
    return guarded(() => this.connectorIndex.get(id))
  }

  addConnector(connector: WorkspaceConnector) {
    return guarded(() => this.connectorIndex.add(connector))
  }

  setRelease(id: string, from: string, release: ConnectorRelease) {
    return guarded(() => this.connectorIndex.setRelease(id, from, release))
  }

  releases(id: string) {
    return guarded(() => this.connectorIndex.releases(id))
  }

  removeConnector(id: string) {
    return guarded(() => this.connectorIndex.remove(id))
  }

  syncs(query: PageQuery & { connectionId?: string; status?: SyncStatus }) {
    return guarded(() => this.syncIndex.list(query))
  }

  audit(query: PageQuery) {
    return guarded(() => this.auditLog.list(query))
  }

  beginSync(connectionId: string) {
    return guarded(() => this.syncIndex.begin(connectionId, this.slots))
  }

  recordSync(summary: SyncSummary) {
    return guarded(() => {
      const { connectionId, syncId, status, startedAt, endedAt, rows, error, log } = summary
      this.syncIndex.record(summary)
      const lastSync = { syncId, status, startedAt, endedAt, rows, error, log }
      this.entities.recordLastSync(connectionId, lastSync)
    })
  }

  recordConnection(connection: ConnectionRecord) {
    return guarded(() => this.entities.record(connection))
  }

  hashSalt() {
    return guarded(() => {
      const known = this.ctx.storage.kv.get<string>('hashSalt')
      if (known) return known
      const salt = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')
      this.ctx.storage.kv.put('hashSalt', salt)
      return salt
    })
  }

  /** Finishes what a crash left half done: a pending row without an object goes, a tombstone's object goes. */
  async repair(): Promise<void> {
    const objects = entityObjects(this.env, this.tenantId)
    for (const { id, kind, phase } of this.entities.unfinished(
      Date.now() - REPAIR_AFTER_S * 1000,
    )) {
      const object = objects[kind](id)
      try {
        if (phase === 'deleting') {
          await object.destroy()
          this.entities.forget(id)
        } else {
          const { status } = await object.get()
          this.entities.activate(id, { status })
        }
      } catch (error) {
        if (toAirbyteError(error).code !== 'NOT_FOUND') continue
        this.entities.release(id)
        this.entities.forget(id)
      }
    }
    if (this.entities.hasUnfinished()) await this.scheduleRepair()
  }

  private resolve(ref: RefRequest): ResolvedRef {
    if (ref.kinds.includes('sync')) return this.resolveSync(ref.field, ref.value)
    if (!ref.kinds.includes('connector')) return this.entities.resolve(ref)
    if (ref.kinds.length === 1) return this.connectorIndex.resolve(ref)
    const own = this.connectorIndex.find(ref.value)
    return this.entities.resolve(ref, own && [own])
  }

  private resolveSync(field: string, value: string): ResolvedRef {
    const sync = /^\d{1,15}$/.test(value) ? this.syncIndex.find(Number(value)) : null
    if (!sync) throw notFound('sync', value, field, [])
    const { syncId, connectionId } = sync
    return { kind: 'sync', id: String(syncId), name: `sync ${syncId}`, connectionId }
  }

  private async scheduleRepair(): Promise<void> {
    await this.schedule(REPAIR_AFTER_S + 5, 'repair', undefined, { idempotent: true })
  }

  private get slots(): number {
    return this.ctx.storage.kv.get<number>('syncSlots') ?? DEFAULT_SYNC_SLOTS
  }

  private get tenantId(): string {
    return this.ctx.id.name ?? this.name
  }
}
