import { z } from 'zod'
import { nearest } from '../core/nearest.ts'
import { comparisonsOf, fieldsOf, literalCell } from '../core/normalization/index.ts'
import {
  AirbyteError,
  type Column,
  type RowCondition,
  type StreamMapping,
} from '../protocol/index.ts'
import type { StreamChoice } from './fields.ts'

const literal = z.union([z.string(), z.number(), z.boolean()])
const field = z.string().min(1)

const condition: z.ZodType<RowCondition> = z.lazy(() =>
  z.union([
    z.strictObject({ field, op: z.enum(['eq', 'ne', 'lt', 'lte', 'gt', 'gte']), value: literal }),
    z.strictObject({ field, op: z.literal('in'), value: z.array(literal).min(1).max(1000) }),
    z.strictObject({ field, op: z.enum(['is_null', 'not_null']) }),
    z.strictObject({ all: z.array(condition).min(1) }),
    z.strictObject({ any: z.array(condition).min(1) }),
    z.strictObject({ not: condition }),
  ]),
)

const mappingShape = z.strictObject({
  filter: z.json().optional(),
  hash: z.array(z.string()).max(500).optional(),
  rename: z.record(z.string(), z.string().max(100)).optional(),
})

const DEEPEST = 10

/**
 * What a connection does to the rows and columns of a stream, checked against its columns.
 *
 * @param cursor the cursor's column, which must keep its order
 * @throws VALIDATION_FAILED naming the field
 */
export function mappingOf(
  choice: StreamChoice,
  schema: Column[],
  cursor: string | undefined,
  at: string,
): StreamMapping | undefined {
  if (!choice.mapping) return undefined
  const columns = schema.map(({ name }) => name)
  const mapping = parsed(choice.mapping, at)
  const filter =
    mapping.filter === undefined ? undefined : conditionOf(mapping.filter, `${at}.filter`)
  const { hash = [], rename = {} } = mapping
  const named: [string, string[]][] = [
    ['filter', filter ? fieldsOf(filter) : []],
    ['hash', hash],
    ['rename', Object.keys(rename)],
  ]
  for (const [part, names] of named) {
    for (const name of names) requireColumn(name, columns, choice.selectedFields, `${at}.${part}`)
  }
  for (const { field, values } of filter ? comparisonsOf(filter) : []) {
    const column = schema.find(({ name }) => name === field)
    if (column) for (const value of values) literalCell(column, value, `${at}.filter`)
  }
  if (cursor !== undefined && hash.includes(cursor)) {
    const message = `The cursor '${cursor}' cannot be hashed: its order would be lost.`
    throw new AirbyteError('VALIDATION_FAILED', message, { field: `${at}.hash` })
  }
  checkNames(choice.selectedFields ?? columns, rename, `${at}.rename`)
  return {
    ...(filter && { filter }),
    ...(hash.length > 0 && { hash: [...new Set(hash)] }),
    ...(Object.keys(rename).length > 0 && { rename }),
  }
}

function parsed(given: unknown, at: string): z.output<typeof mappingShape> {
  const result = mappingShape.safeParse(given)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new AirbyteError('VALIDATION_FAILED', `${issue?.message ?? 'It is no mapping'}.`, {
    field: [at, ...(issue?.path ?? [])].join('.'),
    hint: 'A mapping has filter, hash (a list of columns) and rename (new names by columns).',
  })
}

function conditionOf(given: unknown, at: string): RowCondition {
  if (depthOf(given) > DEEPEST * 2) {
    throw new AirbyteError('VALIDATION_FAILED', `A filter is at most ${DEEPEST} conditions deep.`, {
      field: at,
    })
  }
  const parsed = condition.safeParse(given)
  if (parsed.success) return parsed.data
  throw new AirbyteError('VALIDATION_FAILED', 'The filter is not a condition.', {
    field: at,
    hint: 'Give { field, op, value } with op eq, ne, lt, lte, gt, gte, in, is_null or not_null, or { all: [] }, { any: [] }, { not: {} } of such.',
  })
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

function requireColumn(
  name: string,
  columns: string[],
  selected: string[] | undefined,
  at: string,
): void {
  if (!columns.includes(name)) {
    throw new AirbyteError('VALIDATION_FAILED', `There is no column '${name}'.`, {
      ...{ field: at, didYouMean: nearest(name, columns) },
    })
  }
  if (selected && !selected.includes(name)) {
    throw new AirbyteError('VALIDATION_FAILED', `The column '${name}' is not selected.`, {
      ...{ field: at, hint: `Add '${name}' to selectedFields.` },
    })
  }
}

/** Two columns of one name, or a name of our own columns, would lose one of them. */
function checkNames(columns: string[], rename: Record<string, string>, at: string): void {
  const seen = new Set<string>()
  for (const column of columns) {
    const name = Object.hasOwn(rename, column) ? (rename[column] as string) : column
    const isOurs = name !== column && /^_(?:airbyte|ab)_/i.test(name)
    if (name !== '' && !seen.has(name) && !isOurs) {
      seen.add(name)
      continue
    }
    const message = isOurs
      ? `'${name}' is a name of the columns that a sync adds.`
      : `Two columns would be called '${name}'.`
    throw new AirbyteError('VALIDATION_FAILED', message, { field: `${at}.${column}` })
  }
}
