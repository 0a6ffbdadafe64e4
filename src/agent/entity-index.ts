import { v7 as uuidv7 } from 'uuid'
import { nearest } from '../core/nearest.ts'
import type { ConnectionRecord } from '../durable-object/rpc.ts'
import type { RefKind, RefRequest, ResolvedRef } from '../operations/refs.ts'
import type { EntityKind, IndexRow, Page, TenantAgentApi } from '../operations/tenant.ts'
import { ENTITY_KINDS } from '../operations/tenant.ts'
import { AirbyteError } from '../protocol/index.ts'

type Phase = 'pending' | 'active' | 'deleting'

interface Row extends Record<string, SqlStorageValue> {
  id: string
  kind: EntityKind
  name: string
  type: string | null
  connector_id: string | null
  source_id: string | null
  destination_id: string | null
  status: string
  phase: Phase
  next_run_at: number | null
  last_sync: string | null
  fresh_as_of: number | null
  freshness_seconds: number | null
  paused_reason: string | null
  source_name: string | null
  destination_name: string | null
  created_at: number
  updated_at: number
}

/** Rows, a connection's with the names of its ends. */
const SELECT = `select *,
  (select name from entities s where s.id = e.source_id) as source_name,
  (select name from entities d where d.id = e.destination_id) as destination_name
  from entities e`

type NewEntity = Pick<
  IndexRow,
  'kind' | 'name' | 'type' | 'connectorId' | 'sourceId' | 'destinationId'
>

/**
 * What the workspace has: one row for each source, destination and connection. A row is `pending`
 * until its object exists, and a tombstone (`deleting`) until its object is gone.
 */
export class EntityIndex {
  private readonly sql: SqlStorage
  private readonly now: () => number

  constructor(sql: SqlStorage, now: () => number = Date.now) {
    this.sql = sql
    this.now = now
  }

  reserve(entity: NewEntity): IndexRow {
    const { kind, name, type, connectorId, sourceId, destinationId } = entity
    this.checkName(kind, name)
    for (const [field, id] of Object.entries({ source: sourceId, destination: destinationId })) {
      if (id && !this.get(id)) throw notFound(field as RefKind, id, field, [])
    }
    const at = this.now()
    this.sql.exec(
      `insert into entities (id, kind, name, type, connector_id, source_id, destination_id, status, phase, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, 'pending', 'pending', ?, ?)`,
      ...[uuidv7(), kind, name, type ?? null, connectorId ?? null],
      ...[sourceId ?? null, destinationId ?? null, at, at],
    )
    return this.byName(kind, name) as IndexRow
  }

  activate(id: string, { status, nextRunAt }: { status: string; nextRunAt?: number }): IndexRow {
    this.sql.exec(
      `update entities set phase = 'active', status = ?, next_run_at = ?, updated_at = ?
       where id = ? and phase = 'pending'`,
      ...[status, nextRunAt ?? null, this.now(), id],
    )
    const row = this.get(id)
    if (!row) throw new AirbyteError('CONFLICT', `${id} was deleted while it was being created.`)
    return row
  }

  release(id: string): void {
    this.sql.exec(`delete from entities where id = ? and phase = 'pending'`, id)
  }

  touch(id: string, { name, status }: { name?: string; status?: string }): IndexRow {
    const row = this.get(id)
    if (!row) throw new AirbyteError('NOT_FOUND', `There is no '${id}' in this workspace.`)
    if (name !== undefined && name !== row.name) this.checkName(row.kind, name)
    this.sql.exec(
      'update entities set name = ?, status = ?, updated_at = ? where id = ?',
      ...[name ?? row.name, status ?? row.status, this.now(), id],
    )
    return this.get(id) as IndexRow
  }

  /** Brings a connection's row up to what its object says. */
  record(connection: ConnectionRecord): void {
    const { id, name, status, nextRunAt, freshAsOf, freshnessSeconds, pausedReason } = connection
    this.sql.exec(
      `update entities set name = ?, status = ?, next_run_at = ?, fresh_as_of = ?,
         freshness_seconds = ?, paused_reason = ?, updated_at = ? where id = ?`,
      ...[name, status, nextRunAt ?? null, freshAsOf ?? null, freshnessSeconds ?? null],
      ...[pausedReason ? JSON.stringify(pausedReason) : null, this.now(), id],
    )
  }

  recordLastSync(connectionId: string, lastSync: NonNullable<IndexRow['lastSync']>): void {
    this.sql.exec(
      `update entities set last_sync = ?1 where id = ?2
       and (last_sync is null or json_extract(last_sync, '$.syncId') <= ?3)`,
      ...[JSON.stringify(lastSync), connectionId, lastSync.syncId],
    )
  }

  /** Leaves a tombstone. IN_USE names the connections that still need it. */
  bury(id: string): void {
    const users = this.sql
      .exec<{ name: string }>(
        `select name from entities where (source_id = ?1 or destination_id = ?1) and phase <> 'deleting'
         order by name`,
        id,
      )
      .toArray()
      .map(({ name }) => name)
    refuseIfUsed('connection', users)
    this.sql.exec(
      `update entities set phase = 'deleting', updated_at = ? where id = ?`,
      this.now(),
      id,
    )
  }

  forget(id: string): void {
    this.sql.exec(`delete from entities where id = ? and phase = 'deleting'`, id)
  }

  /** Rows that were left half created or half deleted before this moment. */
  unfinished(before: number): { id: string; kind: EntityKind; phase: Phase }[] {
    return this.sql
      .exec<Row>(`${SELECT} where phase <> 'active' and updated_at < ?`, before)
      .toArray()
      .map(({ id, kind, phase }) => ({ id, kind, phase }))
  }

  hasUnfinished(): boolean {
    return (
      this.sql.exec(`select 1 from entities where phase <> 'active' limit 1`).toArray().length > 0
    )
  }

  get(id: string): IndexRow | null {
    const [row] = this.sql.exec<Row>(`${SELECT} where id = ? and phase <> 'deleting'`, id).toArray()
    return row ? toIndexRow(row) : null
  }

  find(kind: EntityKind, nameOrId: string): IndexRow | null {
    const byId = this.get(nameOrId)
    return byId?.kind === kind ? byId : this.byName(kind, nameOrId)
  }

  /**
   * A name or id of one of `kinds`, or one of `others` that were found elsewhere. NOT_FOUND offers
   * the nearest names.
   */
  resolve({ field, kinds, value }: RefRequest, others: ResolvedRef[] = []): ResolvedRef {
    const wanted = kinds.filter((kind) => kind !== 'sync' && kind !== 'connector')
    const found = wanted
      .map((kind) => this.find(kind, value))
      .filter((row) => row !== null)
      .filter((row, i, all) => all.findIndex(({ id }) => id === row.id) === i)
    const refs = found.map(({ kind, id, name, type }): ResolvedRef => ({ kind, id, name, type }))
    const [row, other] = [...refs, ...others]
    if (!row) throw notFound(wanted[0] ?? 'source', value, field, this.names(wanted), wanted)
    if (other) {
      throw new AirbyteError(
        'VALIDATION_FAILED',
        `'${value}' names both a ${row.kind} and a ${other.kind}.`,
        { field, hint: `Use the id: ${row.id} is the ${row.kind}, ${other.id} the ${other.kind}.` },
      )
    }
    return row
  }

  list(query: Parameters<TenantAgentApi['list']>[0]): Page<IndexRow> {
    const filters: [string, SqlStorageValue | undefined][] = [
      ['kind = ?', query.kind],
      ['status = ?', query.status],
      ['type = ?', query.type],
      ['connector_id = ?', query.connectorId],
    ]
    const used = filters.filter(([, value]) => value !== undefined)
    const where = [`phase = 'active'`, ...used.map(([text]) => text)].join(' and ')
    const values = used.map(([, value]) => value as SqlStorageValue)
    const { total } = this.sql
      .exec<{ total: number }>(`select count(*) as total from entities where ${where}`, ...values)
      .one()
    const rows = this.sql
      .exec<Row>(
        `${SELECT} where ${where} and id > ? order by id limit ? offset ?`,
        ...[...values, query.cursor ?? '', query.limit + 1, query.offset ?? 0],
      )
      .toArray()
    const items = rows.slice(0, query.limit).map(toIndexRow)
    return { items, total, ...(rows.length > query.limit && { cursor: items.at(-1)?.id }) }
  }

  count(kind: EntityKind): number {
    return this.list({ kind, limit: 0 }).total
  }

  private byName(kind: EntityKind, name: string): IndexRow | null {
    const [row] = this.sql
      .exec<Row>(`${SELECT} where kind = ? and name = ? and phase <> 'deleting'`, ...[kind, name])
      .toArray()
    return row ? toIndexRow(row) : null
  }

  private checkName(kind: EntityKind, name: string): void {
    const taken = this.byName(kind, name)
    if (!taken) return
    throw new AirbyteError('NAME_TAKEN', `There already is a ${kind} called '${name}'.`, {
      field: 'name',
      hint: `Choose another name, or update the ${kind} ${taken.id}.`,
    })
  }

  private names(kinds: readonly RefKind[]): string[] {
    return this.sql
      .exec<{ kind: string; name: string }>(
        `select kind, name from entities where phase = 'active' limit 1000`,
      )
      .toArray()
      .filter(({ kind }) => (kinds as readonly string[]).includes(kind))
      .map(({ name }) => name)
  }
}

/** @throws IN_USE naming the users */
export function refuseIfUsed(what: 'connection' | 'source', users: string[]): void {
  if (users.length === 0) return
  const names = users.slice(0, 5).map((name) => `'${name}'`)
  const more = users.length > 5 ? ` and ${users.length - 5} more` : ''
  throw new AirbyteError(
    'IN_USE',
    `It is used by the ${what}${users.length === 1 ? '' : 's'} ${names.join(', ')}${more}.`,
    { hint: `Delete ${names.join(', ')}${more} first.` },
  )
}

export function notFound(
  kind: RefKind,
  value: string,
  field: string,
  names: string[],
  kinds: readonly RefKind[] = [kind],
): AirbyteError {
  const what =
    kinds.length === ENTITY_KINDS.length ? 'source, destination or connection' : kinds.join(' or ')
  const didYouMean = nearest(value, names)
  return new AirbyteError('NOT_FOUND', `There is no ${what} '${value}' in this workspace.`, {
    field,
    ...(didYouMean.length > 0 && { didYouMean }),
  })
}

const parsed = <T>(json: string | null) => (json === null ? undefined : (JSON.parse(json) as T))

function toIndexRow(row: Row): IndexRow {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    type: row.type ?? undefined,
    connectorId: row.connector_id ?? undefined,
    sourceId: row.source_id ?? undefined,
    destinationId: row.destination_id ?? undefined,
    status: row.status,
    nextRunAt: row.next_run_at ?? undefined,
    sourceName: row.source_name ?? undefined,
    destinationName: row.destination_name ?? undefined,
    lastSync: parsed<IndexRow['lastSync']>(row.last_sync),
    freshAsOf: row.fresh_as_of ?? undefined,
    freshnessSeconds: row.freshness_seconds ?? undefined,
    pausedReason: parsed<IndexRow['pausedReason']>(row.paused_reason),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
