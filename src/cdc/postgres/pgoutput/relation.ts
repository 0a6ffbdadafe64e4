import { AirbyteError } from '../../../protocol/index.ts'
import type { ByteReader } from './byte-reader.ts'

/** A table as the log describes it, before the first change of it and after each DDL on it. */
export interface PgRelation {
  oid: number
  schema: string
  name: string
  /** What an old row holds: `default` the primary key, `index` that index, `full` the row, `nothing` nothing. */
  identity: ReplicaIdentity
  columns: RelationColumn[]
}

export type ReplicaIdentity = 'default' | 'nothing' | 'full' | 'index'

export interface RelationColumn {
  name: string
  /** Part of the replica identity. */
  identity: boolean
  typeOid: number
  typmod: number
}

const IDENTITIES: Record<string, ReplicaIdentity> = {
  d: 'default',
  n: 'nothing',
  f: 'full',
  i: 'index',
}

/** https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html, Relation. */
export function readRelation(reader: ByteReader): PgRelation {
  const oid = reader.u32()
  const schema = reader.cstring() || 'pg_catalog'
  const name = reader.cstring()
  const setting = String.fromCharCode(reader.u8())
  const identity = IDENTITIES[setting]
  if (!identity) {
    throw new AirbyteError('INTERNAL', `Replica identity '${setting}' of ${name} is not known.`)
  }
  const columns: RelationColumn[] = []
  for (let left = reader.u16(); left > 0; left--) {
    const flags = reader.u8()
    columns.push({
      name: reader.cstring(),
      identity: (flags & 1) === 1,
      typeOid: reader.u32(),
      typmod: reader.i32(),
    })
  }
  return { oid, schema, name, identity, columns }
}

/** The server repeats a description after any invalidation; most repeat what is known. */
export function sameRelation(a: PgRelation, b: PgRelation): boolean {
  return (
    a.schema === b.schema &&
    a.name === b.name &&
    a.identity === b.identity &&
    a.columns.length === b.columns.length &&
    a.columns.every((column, at) => {
      const other = b.columns[at] as RelationColumn
      return (
        column.name === other.name &&
        column.identity === other.identity &&
        column.typeOid === other.typeOid &&
        column.typmod === other.typmod
      )
    })
  )
}
