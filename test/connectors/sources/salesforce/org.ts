import type { JsonObject, JsonValue } from '../../../../src/protocol/index.ts'
import { hourMs } from '../declarative/synthetic.ts'

interface Field {
  name: string
  type: string
}

/** As Salesforce writes moments. */
const moment = (n: number): string => new Date(hourMs(n)).toISOString().replace('Z', '+0000')

/** Of every type, those that the connector leaves out among them. */
const FIELDS: Field[] = [
  { name: 'Id', type: 'id' },
  { name: 'Name', type: 'string' },
  { name: 'OwnerId', type: 'reference' },
  { name: 'Stage', type: 'picklist' },
  { name: 'Tags__c', type: 'multipicklist' },
  { name: 'Email', type: 'email' },
  { name: 'Phone', type: 'phone' },
  { name: 'Website', type: 'url' },
  { name: 'Description', type: 'textarea' },
  { name: 'Secret__c', type: 'encryptedstring' },
  { name: 'Opens__c', type: 'time' },
  { name: 'IsOpen', type: 'boolean' },
  { name: 'Employees', type: 'int' },
  { name: 'Visits__c', type: 'long' },
  { name: 'Amount', type: 'currency' },
  { name: 'Ratio__c', type: 'double' },
  { name: 'Probability', type: 'percent' },
  { name: 'CloseDate', type: 'date' },
  { name: 'CreatedDate', type: 'datetime' },
  { name: 'SystemModstamp', type: 'datetime' },
  { name: 'BillingAddress', type: 'address' },
  { name: 'Place__c', type: 'location' },
  { name: 'Picture', type: 'base64' },
  { name: 'Metadata', type: 'complexvalue' },
]

const VALUES: Record<string, (n: number) => JsonValue> = {
  boolean: (n) => n % 2 === 0,
  int: (n) => n,
  long: (n) => n * 1000,
  currency: (n) => n + 0.25,
  double: (n) => n + 0.5,
  percent: () => 12.5,
  date: () => '2026-03-01',
  datetime: (n) => moment(n),
  time: () => '09:30:00.000Z',
}

const kind = (name: string, given: JsonObject = {}) => ({
  ...{ name, queryable: true, replicateable: true, associateEntityType: null, ...given },
})

/** What the org lists, with what can be no stream and what is none unless it is asked for. */
export const SOBJECTS = [
  kind('Account'),
  kind('AccountHistory', { associateEntityType: 'History' }),
  kind('AggregateResult', { queryable: false, replicateable: false }),
  kind('Boat__c'),
  kind('Contact'),
  kind('EntityDefinition', { replicateable: false }),
  kind('Task'),
  kind('User'),
]

/** Users are never deleted. */
export const describeObject = (object: string): Field[] =>
  object === 'User' ? FIELDS : [...FIELDS, { name: 'IsDeleted', type: 'boolean' }]

/** A synthetic org. */
export class Org {
  readonly #rows = new Map<string, JsonObject[]>()
  #hour = 0

  rows(object: string): JsonObject[] {
    const rows = this.#rows.get(object) ?? []
    this.#rows.set(object, rows)
    return rows
  }

  add(object: string): void {
    const n = ++this.#hour
    const values = describeObject(object).map(({ name, type }) => [
      name,
      VALUES[type]?.(n) ?? `${name} ${n}`,
    ])
    const deleted = object === 'User' ? {} : { IsDeleted: false }
    this.rows(object).push({ ...Object.fromEntries(values), Id: idOf(n), ...deleted })
  }

  /** Any change moves the moment, also a deletion. */
  change(object: string, changes: JsonObject = {}): void {
    const [first] = this.rows(object)
    Object.assign(first ?? {}, changes, { SystemModstamp: moment(++this.#hour) })
  }
}

const idOf = (n: number): string => `001${String(n).padStart(12, '0')}AAA`
