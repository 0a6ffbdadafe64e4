import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { JsonObject, JsonSchema } from '../../../../src/protocol/index.ts'
import { CONNECTORS } from '../declarative/connector.ts'
import { hourMs } from '../declarative/synthetic.ts'
import { rowOf } from '../declarative/synthetic-row.ts'

const MANIFEST = parse(readFileSync(join(CONNECTORS, 'hubspot/manifest.yaml'), 'utf8'))
const SCHEMAS = MANIFEST.schemas as Record<string, JsonSchema>

/** With milliseconds, as HubSpot writes it. */
export const moment = (n: number): string => new Date(hourMs(n)).toISOString()

export interface Property {
  name: string
  type: string
}

/** An object of the CRM, its properties as texts. */
export interface CrmObject {
  id: string
  archived: boolean
  archivedAt?: string
  createdAt: string
  updatedAt: string
  url: string
  properties: Record<string, string>
  associations: Record<string, { results: { id: string; type: string }[] }>
}

const PROPERTIES: Property[] = [
  { name: 'hs_object_id', type: 'number' },
  { name: 'createdate', type: 'datetime' },
  { name: 'name', type: 'string' },
  { name: 'amount', type: 'number' },
  { name: 'won', type: 'bool' },
  { name: 'due', type: 'date' },
  { name: 'stage', type: 'enumeration' },
  { name: 'phone', type: 'phone_number' },
]
/** Enough that no address holds them all. */
const MANY = Array.from({ length: 260 }, (_, n) => ({
  name: `a_property_with_a_name_that_is_long_enough_for_this_${String(n).padStart(3, '0')}`,
  type: 'string',
}))

export const changeOf = (object: string): string =>
  object === 'contacts' ? 'lastmodifieddate' : 'hs_lastmodifieddate'

/** What a history calls the id of its object. */
export const idFieldOf = (object: string): string =>
  object === 'companies' ? 'companyId' : `${object.slice(0, -1)}Id`

export const propertiesOf = (object: string): Property[] => [
  ...PROPERTIES,
  { name: changeOf(object), type: 'datetime' },
  ...(object === 'contacts' ? MANY : []),
]

/** The objects of a synthetic account, oldest change first. */
export class Portal {
  readonly #crm = new Map<string, CrmObject[]>()
  readonly #rows = new Map<string, JsonObject[]>()
  #hour = 0
  #next = 1

  /** The next hour: whatever is made or changed is newer than all before. */
  tick(): number {
    return this.#hour++
  }

  objects(object: string): CrmObject[] {
    const objects = this.#crm.get(object) ?? []
    this.#crm.set(object, objects)
    return objects
  }

  rows(stream: string): JsonObject[] {
    const rows = this.#rows.get(stream) ?? []
    this.#rows.set(stream, rows)
    return rows
  }

  /** A new row of a stream that is no object of the CRM. */
  add(stream: string, known: JsonObject = {}): JsonObject {
    const n = this.#next++
    const row = rowOf(SCHEMAS[stream] as JsonSchema, n, known)
    this.rows(stream).push(row)
    return row
  }

  addObject(object: string, archived = false, at = moment(this.tick())): CrmObject {
    const id = String(this.#next++)
    const known = { hs_object_id: id, createdate: at, [changeOf(object)]: at }
    const properties = propertiesOf(object).map(({ name, type }) => [name, textOf(type, id, name)])
    const made: CrmObject = {
      ...{ id, archived, createdAt: at, updatedAt: at, url: `https://app.hubspot.com/${id}` },
      ...(archived ? { archivedAt: at } : {}),
      properties: { ...Object.fromEntries(properties), ...known },
      associations: {},
    }
    this.objects(object).push(made)
    return made
  }

  /** The values of those properties that were asked for, by the property's name. */
  histories(object: string, id: string, asked: string[]): Record<string, JsonObject[]> {
    const own = this.rows(`${object}_property_history`).filter(
      (row) => row[idFieldOf(object)] === id,
    )
    const found: Record<string, JsonObject[]> = {}
    for (const { [idFieldOf(object)]: _, property, ...value } of own) {
      const name = String(property)
      if (asked.includes(name)) found[name] = [value, ...(found[name] ?? [])]
    }
    return found
  }

  touch(object: string): void {
    const at = moment(this.tick())
    const [first] = this.objects(object)
    if (!first) return
    first.updatedAt = at
    first.properties[changeOf(object)] = at
  }
}

/** Everything is a text. Every third object was never given a name. */
function textOf(type: string, id: string, name: string): string {
  if (name === 'name' && Number(id) % 3 === 0) return ''
  return VALUES[type]?.(id) ?? `${name} ${id}`
}

const VALUES: Record<string, (id: string) => string> = {
  number: (id) => `${id}.5`,
  bool: (id) => String(Number(id) % 2 === 0),
  date: () => '2026-03-01',
  datetime: () => '2026-01-01T00:00:00.123Z',
}
