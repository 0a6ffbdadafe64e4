import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { JsonObject, JsonSchema } from '../../../../src/protocol/index.ts'
import { CONNECTORS } from '../declarative/connector.ts'
import { NOW } from '../declarative/synthetic.ts'
import { rowOf } from '../declarative/synthetic-row.ts'

const MANIFEST = parse(readFileSync(join(CONNECTORS, 'stripe/manifest.yaml'), 'utf8'))
const SCHEMAS = MANIFEST.schemas as Record<string, JsonSchema>
/** What the manifest adds. */
const ADDED = /^(?:updated|is_deleted|\w+_updated)$/

/** Events are kept for 30 days, so the synthetic past is a short one. */
export const hoursAgo = (hours: number) => Math.floor(NOW / 1000) - hours * 3600
export const FIRST = 5 * 24

/** Invoice items call it `date`; payment links and bank accounts have none. */
const momentOf = (properties: object, moment: number): JsonObject =>
  'created' in properties ? { created: moment } : 'date' in properties ? { date: moment } : {}

/** The objects of a synthetic account, oldest first, and the events that tell of them. */
export class Account {
  readonly events: JsonObject[] = []
  readonly #rows = new Map<string, JsonObject[]>()
  readonly #made = new Map<string, number>()

  rows(stream: string): JsonObject[] {
    const rows = this.#rows.get(stream) ?? []
    this.#rows.set(stream, rows)
    return rows
  }

  /** A new object, an hour after the one before it unless it belongs to a moment. */
  add(stream: string, known: JsonObject = {}, moment?: number): JsonObject {
    const n = this.#made.get(stream) ?? 0
    this.#made.set(stream, n + 1)
    const { properties = {}, ...schema } = SCHEMAS[stream] ?? {}
    const own = Object.fromEntries(
      Object.entries(properties as JsonObject).filter(([name]) => !ADDED.test(name)),
    )
    const row = rowOf({ ...schema, properties: own }, n, {
      ...{ id: `${stream}_${n}`, ...momentOf(own, moment ?? hoursAgo(FIRST - n)) },
      ...known,
    })
    this.rows(stream).push(row)
    return row
  }

  /** Tells that an object was made, `otherwise` where it has no moment of its own. */
  tellNew(type: string, row: JsonObject, otherwise: number): void {
    this.tellAt(type, row, Number(row.created ?? row.date ?? otherwise))
  }

  /** Tells of an object as it is now, an hour after all that was told before. */
  tellChange(type: string, row: JsonObject): void {
    const told = this.events.map(({ created }) => Number(created))
    const isDated = 'created' in row || 'date' in row
    this.tellAt(type, row, isDated ? Math.max(...told) + 3600 : hoursAgo(0))
  }

  tellAt(type: string, row: JsonObject, created: number): void {
    const n = this.events.length
    const data = { object: structuredClone(row), previous_attributes: {} }
    this.events.push(
      rowOf(SCHEMAS.events as JsonSchema, n, { id: `evt_${n}`, type, created, data }),
    )
    this.events.sort((a, b) => Number(a.created) - Number(b.created))
  }
}
