import type { ConnectorPin, SyncStatus, SyncSummary, TenantApi } from '../durable-object/rpc.ts'
import type { ErrorRecord } from '../protocol/index.ts'
import type { BreakingChange } from '../runtime/declarative/index.ts'
import type { Caller } from './caller.ts'
import type { AuditEntry, RefRequest, ResolvedRef } from './refs.ts'

/** A row of the tenant's index: enough for lists, so that they need no fan-out. */
export interface IndexRow {
  id: string
  kind: EntityKind
  name: string
  /** Connector type of a source or destination. */
  type?: string
  /** The workspace's own connector of a source, if it has one of those. */
  connectorId?: string
  /** Of a connection. */
  sourceId?: string
  destinationId?: string
  /** `awaiting_credentials | active` of an actor, `active | paused` of a connection. */
  status: string
  sourceName?: string
  destinationName?: string
  nextRunAt?: number
  lastSync?: Pick<
    SyncSummary,
    'syncId' | 'status' | 'startedAt' | 'endedAt' | 'rows' | 'error' | 'log'
  >
  freshAsOf?: number
  freshnessSeconds?: number
  pausedReason?: ErrorRecord
  createdAt: number
  updatedAt: number
}

export const ENTITY_KINDS = ['source', 'destination', 'connection'] as const
export type EntityKind = (typeof ENTITY_KINDS)[number]

/** A connector of the workspace's own, at the release that new sources get. */
export interface WorkspaceConnector {
  id: string
  kind: 'source'
  name: string
  /** It was imported to take the place of a built-in one of its name or definition. */
  shadows: boolean
  release: ConnectorRelease
  createdAt: number
  updatedAt: number
}

export interface ConnectorRelease {
  pin: ConnectorPin
  /** As its metadata says it: `MIT`, `ELv2`; `unknown` where there is none. */
  license: string
  origin: ConnectorOrigin
  /** What this release and older ones broke, for those who come from before. */
  breakingChanges: BreakingChange[]
  /** Length of the manifest. */
  bytes: number
  /** SHA-256 of the `components.py` that came with it, which is shown and never run. */
  components?: string
  importedAt: number
  importedBy: string
}

/** Where a release came from. */
export type ConnectorOrigin =
  | { from: 'text' }
  | { from: 'url' | 'git' | 'registry'; location: string }

/** A page; `cursor` is opaque and absent on the last page. */
export interface Page<T> {
  items: T[]
  cursor?: string
  total: number
}

export interface PageQuery {
  limit: number
  cursor?: string
  offset?: number
}

export interface WorkspaceRecord {
  id: string
  name: string
  createdAt: number
  counts: { sources: number; destinations: number; connections: number }
  runningSyncs: number
  /** Syncs that may run at once. */
  syncSlots: number
}

/**
 * The operations' side of the TenantAgent. `authorize` is the one call every operation makes first;
 * the rest keeps the index. Everything throws packed `AirbyteError`s.
 */
export interface TenantAgentApi extends TenantApi {
  /** Names → ids (NOT_FOUND with the nearest names), and one audit entry. */
  authorize(request: {
    op: string
    face: string
    caller: Caller
    refs: RefRequest[]
    /** False: the caller lacks a scope; only the audit entry is written. */
    allowed: boolean
  }): Promise<{ refs: ResolvedRef[] }>
  workspace(): Promise<WorkspaceRecord>
  /** Sets the display name; called once when the workspace is made, idempotent. */
  setName(name: string): Promise<WorkspaceRecord>

  /** Creating, step 1: takes the unique name and an id. NAME_TAKEN. Repaired by an alarm if step 2 never comes. */
  reserve(entry: {
    kind: EntityKind
    name: string
    type?: string
    connectorId?: string
    sourceId?: string
    destinationId?: string
  }): Promise<IndexRow>
  /** Creating, step 2: the entity object exists. */
  activate(id: string, row: { status: string; nextRunAt?: number }): Promise<IndexRow>
  /** Creating failed: frees the name. */
  release(id: string): Promise<void>
  /** Follows a rename or a status change of a source or destination. NAME_TAKEN. */
  touch(id: string, change: { name?: string; status?: string }): Promise<IndexRow>
  /** Deleting, step 1: the tombstone; nothing finds it any more. IN_USE naming the connections. */
  bury(id: string): Promise<void>
  /** Deleting, step 2: the entity object is gone. */
  forget(id: string): Promise<void>

  find(kind: EntityKind, nameOrId: string): Promise<IndexRow | null>
  list(
    query: PageQuery & {
      kind?: EntityKind
      status?: string
      type?: string
      connectorId?: string
    },
  ): Promise<Page<IndexRow>>
  /** The workspace's own connectors, by name. */
  connectors(): Promise<WorkspaceConnector[]>
  /** NOT_FOUND. */
  connector(id: string): Promise<WorkspaceConnector>
  /** NAME_TAKEN; TOO_LARGE when the workspace has as many as it may have. */
  addConnector(connector: WorkspaceConnector): Promise<WorkspaceConnector>
  /** Makes another release the one in use. CONFLICT unless it still is at the release `from`. */
  setRelease(id: string, from: string, release: ConnectorRelease): Promise<WorkspaceConnector>
  /** The releases that it has had, newest first. */
  releases(id: string): Promise<ConnectorRelease[]>
  /** IN_USE naming the sources. */
  removeConnector(id: string): Promise<void>
  syncs(
    query: PageQuery & { connectionId?: string; status?: SyncStatus },
  ): Promise<Page<SyncSummary>>
  audit(query: PageQuery): Promise<Page<AuditEntry>>
}
