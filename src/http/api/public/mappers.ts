/**
 * Airbyte's `mappers` of a stream for our mapping, both ways. Theirs are a list, applied one after
 * another, each to the names that the ones before have given; ours filters, hashes and renames by
 * the names at the source.
 */
import { AirbyteError, type RowCondition, type StreamMapping } from '../../../protocol/index.ts'

type Loose = Record<string, unknown>

interface MappersInput {
  mapping?: StreamMapping
  /** Fields that are not to be had at all. */
  leftOut?: string[]
}

/**
 * @param at where they are in the request
 * @throws VALIDATION_FAILED naming the field that we cannot do
 */
export function mappingInput(mappers: unknown[], at: string): MappersInput {
  const reading = new Reading()
  for (const [i, mapper] of mappers.entries()) {
    const { type, mapperConfiguration } = mapper as Loose
    const read = READERS[String(type)]
    if (!read) {
      throw refuse(`${at}[${i}].type`, `Mappers of the type '${type}' are not offered.`, {
        hint: 'hashing, row-filtering, field-renaming and field-filtering are.',
      })
    }
    read(
      new Fields((mapperConfiguration ?? {}) as Loose, `${at}[${i}].mapperConfiguration`),
      reading,
    )
  }
  return reading.result()
}

/** `mappers` where Airbyte has words for all of it, else the mapping as it is, under `mapping`. */
export function mappersOutput(mapping: StreamMapping | undefined): Loose {
  if (!mapping) return {}
  const { filter, hash = [], rename = {} } = mapping
  const conditions = filter ? conditionsOutput(filter) : []
  const swaps = Object.values(rename).some((name) => Object.hasOwn(rename, name))
  if (!conditions || swaps) return { mapping }
  const suffixOf = (name: string) => {
    const given = rename[name] ?? name
    return given.startsWith(name) ? given.slice(name.length) : ''
  }
  const names = Object.entries(rename).filter(
    ([name]) => !hash.includes(name) || suffixOf(name) === '',
  )
  return {
    mappers: [
      ...conditions.map((condition) => mapper('row-filtering', { conditions: condition })),
      ...hash.map((targetField) =>
        mapper('hashing', {
          ...{ targetField, method: METHOD, fieldNameSuffix: suffixOf(targetField) },
        }),
      ),
      ...names.map(([originalFieldName, newFieldName]) =>
        mapper('field-renaming', { originalFieldName, newFieldName }),
      ),
    ],
  }
}

/** Ours is a keyed one, with a salt of the workspace. */
const METHOD = 'SHA-256'

const mapper = (type: string, mapperConfiguration: Loose) => ({ type, mapperConfiguration })

const READERS: Record<string, (fields: Fields, reading: Reading) => void> = {
  hashing(fields, reading) {
    const method = fields.text('method')
    if (method !== METHOD) {
      throw refuse(fields.at('method'), `Fields are hashed by ${METHOD}, not by ${method}.`)
    }
    const name = fields.text('targetField')
    const source = reading.source(name, fields.at('targetField'))
    reading.hash.push(source)
    reading.rename(name, name + String(fields.given.fieldNameSuffix ?? ''))
  },
  'field-renaming'(fields, reading) {
    const name = fields.text('originalFieldName')
    reading.source(name, fields.at('originalFieldName'))
    reading.rename(name, fields.text('newFieldName'))
  },
  'field-filtering'(fields, reading) {
    reading.leftOut.push(reading.source(fields.text('targetField'), fields.at('targetField')))
  },
  'row-filtering'(fields, reading) {
    reading.filters.push(conditionInput(fields.inner('conditions'), reading))
  },
}

function conditionInput(fields: Fields, reading: Reading): RowCondition {
  const type = fields.text('type')
  if (type === 'NOT') {
    const [one, ...others] = fields.list('conditions')
    if (!one || others.length > 0) {
      throw refuse(fields.at('conditions'), 'NOT has exactly one condition.')
    }
    return { not: conditionInput(one, reading) }
  }
  if (type !== 'EQUAL') {
    throw refuse(fields.at('type'), `'${type}' is not a condition.`, {
      didYouMean: ['EQUAL', 'NOT'],
    })
  }
  const at = fields.at('fieldName')
  const field = reading.source(fields.text('fieldName'), at)
  if (reading.hash.includes(field)) {
    throw refuse(at, `'${field}' is hashed before.`, { hint: 'Put the filter before the hash.' })
  }
  return { field, op: 'eq', value: fields.text('comparisonValue') }
}

/** Undefined where Airbyte has no such condition. */
function conditionsOutput(filter: RowCondition): Loose[] | undefined {
  if ('all' in filter) {
    const parts = filter.all.map(conditionOutput)
    return parts.every((part) => part !== undefined) ? parts : undefined
  }
  const one = conditionOutput(filter)
  return one && [one]
}

function conditionOutput(condition: RowCondition): Loose | undefined {
  if ('not' in condition) {
    const inner = conditionOutput(condition.not)
    return inner && { type: 'NOT', conditions: [inner] }
  }
  if (!('op' in condition) || condition.op !== 'eq') return undefined
  const { field: fieldName, value: comparisonValue } = condition
  return typeof comparisonValue === 'string' && comparisonValue !== ''
    ? { type: 'EQUAL', fieldName, comparisonValue }
    : undefined
}

/** What the mappers so far make of a stream. */
class Reading {
  readonly filters: RowCondition[] = []
  readonly hash: string[] = []
  readonly leftOut: string[] = []
  /** Names at the source by the names that were given. */
  readonly #sources = new Map<string, string>()

  source(name: string, at: string): string {
    const source = this.#sources.get(name)
    if (source !== undefined) return source
    if ([...this.#sources.values()].includes(name)) {
      throw refuse(at, `'${name}' has another name by then.`)
    }
    return name
  }

  rename(name: string, to: string): void {
    const source = this.#sources.get(name) ?? name
    this.#sources.delete(name)
    this.#sources.set(to, source)
  }

  result(): MappersInput {
    const [filter, ...others] = this.filters
    const renamed = [...this.#sources].filter(([name, source]) => name !== source)
    const mapping: StreamMapping = {
      ...(filter && { filter: others.length > 0 ? { all: this.filters } : filter }),
      ...(this.hash.length > 0 && { hash: this.hash }),
      ...(renamed.length > 0 && {
        rename: Object.fromEntries(renamed.map(([name, source]) => [source, name])),
      }),
    }
    return {
      ...(Object.keys(mapping).length > 0 && { mapping }),
      ...(this.leftOut.length > 0 && { leftOut: this.leftOut }),
    }
  }
}

/** A part of the request that knows where it is. */
class Fields {
  readonly given: Loose
  readonly #at: string

  constructor(given: Loose, at: string) {
    this.given = given
    this.#at = at
  }

  at(name: string): string {
    return `${this.#at}.${name}`
  }

  text(name: string): string {
    const value = this.given[name]
    if (typeof value === 'string' && value !== '') return value
    throw refuse(this.at(name), `${name} is missing.`)
  }

  inner(name: string): Fields {
    return new Fields((this.given[name] ?? {}) as Loose, this.at(name))
  }

  list(name: string): Fields[] {
    const items = this.given[name]
    if (!Array.isArray(items)) return []
    return items.map((item, i) => new Fields(item as Loose, `${this.at(name)}[${i}]`))
  }
}

const refuse = (
  field: string,
  message: string,
  more: { hint?: string; didYouMean?: string[] } = {},
) => new AirbyteError('VALIDATION_FAILED', message, { field, ...more })
