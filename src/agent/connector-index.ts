import type { RefRequest, ResolvedRef } from '../operations/refs.ts'
import type { ConnectorRelease, WorkspaceConnector } from '../operations/tenant.ts'
import { AirbyteError } from '../protocol/index.ts'
import { notFound, refuseIfUsed } from './entity-index.ts'

/** Each list of the catalog reads them all. */
const MAX_CONNECTORS = 200

interface Row extends Record<string, SqlStorageValue> {
  id: string
  kind: 'source'
  name: string
  shadows: number
  release: string
  created_at: number
  updated_at: number
}

/** The workspace's own connectors and the releases that each has had. */
export class ConnectorIndex {
  private readonly storage: DurableObjectStorage
  private readonly now: () => number

  constructor(storage: DurableObjectStorage, now: () => number = Date.now) {
    this.storage = storage
    this.now = now
  }

  list(): WorkspaceConnector[] {
    return this.sql.exec<Row>('select * from connectors order by name').toArray().map(toConnector)
  }

  get(id: string): WorkspaceConnector {
    const [row] = this.sql.exec<Row>('select * from connectors where id = ?', id).toArray()
    if (!row) throw notFound('connector', id, 'connector', [])
    return toConnector(row)
  }

  /** By name or id. */
  find(value: string): ResolvedRef | undefined {
    const wanted = value.trim().toLowerCase()
    const found = this.list().find(({ id, name }) => name === wanted || id === wanted)
    return found && { kind: 'connector', id: found.id, name: found.name }
  }

  /** NOT_FOUND offers the nearest names. */
  resolve({ field, value }: RefRequest): ResolvedRef {
    const found = this.find(value)
    if (found) return found
    const names = this.list().map(({ name }) => name)
    throw notFound('connector', value, field, names)
  }

  add({ id, kind, name, shadows, release, ...at }: WorkspaceConnector): WorkspaceConnector {
    const all = this.list()
    const taken = all.find((connector) => connector.name === name)
    if (taken) {
      throw new AirbyteError('NAME_TAKEN', `There already is a connector called '${name}'.`, {
        field: 'name',
        hint: `Choose another name, or upgrade the connector ${taken.id}.`,
      })
    }
    if (all.length >= MAX_CONNECTORS) {
      const message = `A workspace can have ${MAX_CONNECTORS} connectors of its own.`
      throw new AirbyteError('TOO_LARGE', message, { hint: 'Remove one that is not used.' })
    }
    return this.storage.transactionSync(() => {
      this.sql.exec(
        'insert into connectors values (?, ?, ?, ?, ?, ?, ?)',
        ...[id, kind, name, Number(shadows), JSON.stringify(release), at.createdAt, at.updatedAt],
      )
      this.keep(id, release)
      return this.get(id)
    })
  }

  setRelease(id: string, from: string, release: ConnectorRelease): WorkspaceConnector {
    const { release: present, name } = this.get(id)
    if (present.pin.hash !== from) {
      const message = `The connector '${name}' was changed in the meantime.`
      throw new AirbyteError('CONFLICT', message, { hint: 'Plan the upgrade again.' })
    }
    return this.storage.transactionSync(() => {
      this.sql.exec(
        'update connectors set release = ?, updated_at = ? where id = ?',
        ...[JSON.stringify(release), this.now(), id],
      )
      this.keep(id, release)
      return this.get(id)
    })
  }

  releases(id: string): ConnectorRelease[] {
    return this.sql
      .exec<{ release: string }>(
        'select release from connector_releases where connector_id = ? order by seq desc limit 100',
        this.get(id).id,
      )
      .toArray()
      .map(({ release }) => JSON.parse(release) as ConnectorRelease)
  }

  /** A source that is being deleted still needs it: its sync may be ending. */
  remove(id: string): void {
    const users = this.sql
      .exec<{ name: string }>('select name from entities where connector_id = ? order by name', id)
      .toArray()
      .map(({ name }) => name)
    refuseIfUsed('source', users)
    this.storage.transactionSync(() => {
      this.sql.exec('delete from connector_releases where connector_id = ?', id)
      this.sql.exec('delete from connectors where id = ?', id)
    })
  }

  private keep(id: string, release: ConnectorRelease): void {
    this.sql.exec(
      'insert into connector_releases (connector_id, release) values (?, ?)',
      ...[id, JSON.stringify(release)],
    )
  }

  private get sql(): SqlStorage {
    return this.storage.sql
  }
}

function toConnector(row: Row): WorkspaceConnector {
  return {
    ...{ id: row.id, kind: row.kind, name: row.name, shadows: row.shadows === 1 },
    release: JSON.parse(row.release) as ConnectorRelease,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
