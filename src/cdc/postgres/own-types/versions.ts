import type pg from 'pg'
import type { JsonObject } from '../../../protocol/index.ts'
import { type Lsn, parseLsn, printLsn } from '../position.ts'
import { readOwnTypes } from './catalog.ts'
import type { OwnType } from './own-type.ts'

/** A type as it is now, and where in the log it begins to be so; absent: that is not known yet. */
export interface TypeInLog {
  type: OwnType
  since?: Lsn
}

/**
 * The database's own types, and since when they have been what they are. The log has a composite's
 * fields by place, and says nothing when the type is altered: so a type is looked up after its values
 * were read, and is that of the values if it was the same already before the first of them.
 */
export class TypeVersions {
  readonly #known: Map<number, { version: string; since: Lsn }>

  constructor(kept: JsonObject = {}) {
    this.#known = new Map(
      Object.entries(kept as Record<string, { version: string; since: string }>).map(
        ([oid, { version, since }]) => [Number(oid), { version, since: parseLsn(since) }],
      ),
    )
  }

  /** Rejects with pg's own errors: map them with `mapPostgresError`. */
  async lookUp(client: pg.Client, oids: number[]): Promise<Map<number, TypeInLog>> {
    const { types, since } = await readOwnTypes(client, oids)
    return new Map(
      [...types].map(([oid, { type, version, isLocked }]) => {
        if (isLocked) return [oid, { type }]
        const known = this.#known.get(oid)
        if (known?.version === version) return [oid, { type, since: known.since }]
        this.#known.set(oid, { version, since })
        return [oid, { type, since }]
      }),
    )
  }

  toJSON(): JsonObject {
    return Object.fromEntries(
      [...this.#known].map(([oid, { version, since }]) => [
        String(oid),
        { version, since: printLsn(since) },
      ]),
    )
  }
}
