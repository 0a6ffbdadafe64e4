import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { JsonObject, JsonSchema, JsonValue } from '../../../../src/protocol/index.ts'
import { CONNECTORS } from '../declarative/connector.ts'
import { hourMs } from '../declarative/synthetic.ts'
import { rowOf } from '../declarative/synthetic-row.ts'

const MANIFEST = parse(readFileSync(join(CONNECTORS, 'shopify/manifest.yaml'), 'utf8'))
const SCHEMAS = MANIFEST.schemas as Record<string, JsonSchema>

/** In the zone of a synthetic shop, five hours behind UTC. */
export const shopTime = (n: number): string =>
  `${new Date(hourMs(n) - 5 * 3_600_000).toISOString().slice(0, 19)}-05:00`
export const utcTime = (n: number): string => `${new Date(hourMs(n)).toISOString().slice(0, 19)}Z`

/** The synthetic objects of a shop, by stream and oldest first. */
export class Store {
  readonly #rows = new Map<string, JsonObject[]>()
  #hour = 0
  #next = 1

  rows(stream: string): JsonObject[] {
    const rows = this.#rows.get(stream) ?? []
    this.#rows.set(stream, rows)
    return rows
  }

  /** The next hour: whatever is made or changed is newer than all before. */
  tick(): number {
    return this.#hour++
  }

  /**
   * A new object with all that the API gives of it.
   *
   * @param left fields of the schema that the manifest adds
   */
  add(stream: string, known: JsonObject = {}, left: string[] = []): JsonObject {
    const n = this.#next++
    const { properties = {}, ...schema } = SCHEMAS[stream] ?? {}
    const own = Object.entries(properties as JsonObject).filter(([name]) => !left.includes(name))
    const row = rowOf({ ...schema, properties: Object.fromEntries(own) }, n, {
      ...('id' in (properties as object) && !left.includes('id') ? { id: n } : {}),
      ...known,
    })
    this.rows(stream).push(row)
    return row
  }
}

/** Amounts are texts in Shopify's answers. */
export function withAmounts(stream: string, row: JsonObject): JsonObject {
  const { properties = {} } = SCHEMAS[stream] ?? {}
  const types = properties as Record<string, JsonSchema>
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      amount(value, types[name]?.type as JsonValue),
    ]),
  )
}

const amount = (value: JsonValue, type: JsonValue | undefined): JsonValue =>
  typeof value === 'number' && Array.isArray(type) && type.includes('number')
    ? value.toFixed(2)
    : value
