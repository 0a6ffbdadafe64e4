import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject, JsonSchema } from '../../../../src/protocol/index.ts'
import { loadManifest } from '../../../../src/runtime/declarative/manifest/load.ts'
import { CONNECTORS } from '../declarative/connector.ts'
import { Collection, hourMs, uuid } from '../declarative/synthetic.ts'
import { rowOf } from '../declarative/synthetic-row.ts'

/** As Linear writes moments. */
export const moment = (n: number): string => new Date(hourMs(n)).toISOString()

/** The manifest's streams with their schemas, whose fields the synthetic rows fill. */
export function schemas(): Map<string, JsonSchema> {
  const root = loadManifest(readFileSync(join(CONNECTORS, 'linear/manifest.yaml'), 'utf8'))
  return new Map(
    root
      .children('streams')
      .map((stream) => [
        stream.text('name'),
        stream.child('schema_loader').object('schema') as JsonSchema,
      ]),
  )
}

/** Rows that exist since hour `n`; a change moves `updatedAt`. */
export function rowsOf(stream: string, schema: JsonSchema): Collection<JsonObject> {
  return new Collection<JsonObject>(
    5,
    (n) =>
      rowOf(schema, n, {
        id: uuid(`${stream} ${n}`),
        ...{ createdAt: moment(n), updatedAt: moment(n) },
      }),
    (row, at) => {
      row.updatedAt = moment(at)
    },
  )
}
