import type { AirbyteType, Cell, JsonSchema } from '../../../src/protocol/index.ts'
import { ALL_TYPES } from './all-types.ts'
import { between, more, pick } from './random.ts'
import { dateTimeText } from './time.ts'
import * as words from './words.ts'

export interface SampleColumn {
  name: string
  type: AirbyteType
  nullable?: false
  /** Of an object: the text members that each has. */
  declared?: string[]
  /** Of an array: what its elements are. */
  items?: JsonSchema
  /** The cell of row `index`; `bits` are the column's 32 random bits for that row. */
  cell(bits: number, index: number): Cell
}

export interface SampleStream {
  name: string
  /** Rows it has when `count` rows are configured. */
  rows(count: number): number
  columns: SampleColumn[]
}

const PRODUCTS = 100

/** 2024-01-01T00:00:00Z. Row `i` was last updated `i` seconds later: the cursor grows with the row. */
const EPOCH = 1_704_067_200
export const updatedAt = (index: number) => `${dateTimeText(EPOCH + index)}Z`

const id: SampleColumn = { name: 'id', type: 'integer', nullable: false, cell: (_, i) => i + 1 }
const TIMES: SampleColumn[] = [
  {
    name: 'created_at',
    type: 'timestamp_with_timezone',
    cell: (bits, i) => `${dateTimeText(EPOCH + i - (bits % 100_000_000))}Z`,
  },
  {
    name: 'updated_at',
    type: 'timestamp_with_timezone',
    nullable: false,
    cell: (_, i) => updatedAt(i),
  },
]

const ADDRESS = [
  ...['street_number', 'street_name', 'city', 'state'],
  ...['postal_code', 'country_code'],
]

const USERS: SampleColumn[] = [
  id,
  ...TIMES,
  { name: 'name', type: 'string', cell: (bits) => nameOf(bits) },
  { name: 'title', type: 'string', cell: (bits) => pick(words.TITLES, bits) },
  { name: 'age', type: 'integer', cell: (bits) => between(16, 95, bits) },
  { name: 'email', type: 'string', cell: (_, i) => `user+${i + 1}@example.com` },
  { name: 'telephone', type: 'string', cell: (bits) => `+1-555-${1_000_000 + (bits % 9_000_000)}` },
  { name: 'gender', type: 'string', cell: (bits) => pick(words.GENDERS, bits) },
  { name: 'language', type: 'string', cell: (bits) => pick(words.LANGUAGES, bits) },
  { name: 'academic_degree', type: 'string', cell: (bits) => pick(words.DEGREES, bits) },
  { name: 'nationality', type: 'string', cell: (bits) => pick(words.NATIONALITIES, bits) },
  { name: 'occupation', type: 'string', cell: (bits) => pick(words.OCCUPATIONS, bits) },
  { name: 'height', type: 'number', cell: (bits) => between(140, 210, bits) / 100 },
  { name: 'blood_type', type: 'string', cell: (bits) => pick(words.BLOOD_TYPES, bits) },
  { name: 'weight', type: 'integer', cell: (bits) => between(40, 130, bits) },
  { name: 'address', type: 'object', declared: ADDRESS, cell: addressOf },
]

const PRODUCT_COLUMNS: SampleColumn[] = [
  id,
  { name: 'make', type: 'string', cell: (bits) => pick(words.MAKES, bits) },
  { name: 'model', type: 'string', cell: (bits) => pick(words.MODELS, bits) },
  { name: 'year', type: 'integer', cell: (bits) => between(1995, 2024, bits) },
  { name: 'price', type: 'number', cell: (bits) => between(100, 9_999_999, bits) / 100 },
  ...TIMES,
]

const PURCHASES: SampleColumn[] = [
  id,
  { name: 'product_id', type: 'integer', cell: (bits) => between(1, PRODUCTS, bits) },
  { name: 'user_id', type: 'integer', cell: (bits, i) => between(1, i + 1, bits) },
  { name: 'order_number', type: 'integer', cell: (bits) => beyondSafe(bits) },
  { name: 'amount', type: 'number', cell: (bits) => amountOf(bits) },
  {
    name: 'tags',
    type: 'array',
    items: { type: 'string' },
    cell: (bits) => JSON.stringify(tagsOf(bits)),
  },
  {
    name: 'purchased_at',
    type: 'timestamp_with_timezone',
    cell: (bits, i) => (bits % 5 === 0 ? null : `${dateTimeText(EPOCH + i - (bits % 86_400))}Z`),
  },
  {
    name: 'returned_at',
    type: 'timestamp_with_timezone',
    cell: (bits, i) => (bits % 10 === 0 ? updatedAt(i) : null),
  },
  ...TIMES,
]

/** Every stream, in catalog order. */
export const STREAMS: SampleStream[] = [
  { name: 'users', rows: (count) => count, columns: USERS },
  { name: 'products', rows: (count) => Math.min(count, PRODUCTS), columns: PRODUCT_COLUMNS },
  { name: 'purchases', rows: (count) => count, columns: PURCHASES },
  {
    name: 'all_types',
    rows: (count) => count,
    columns: [id, ...ALL_TYPES, ...TIMES.filter((column) => column.name === 'updated_at')],
  },
]

const nameOf = (bits: number) =>
  `${pick(words.FIRST_NAMES, bits)} ${pick(words.LAST_NAMES, bits >>> 8)}`

/** The words hold no character that JSON escapes. */
function addressOf(bits: number): string {
  const [city, state, country] = pick(words.CITIES, bits >>> 20)
  const street = pick(words.STREETS, bits >>> 16)
  return `{"street_number":"${bits % 9999}","street_name":"${street} Street","city":"${city}","state":"${state}","postal_code":"${10_000 + (bits % 89_999)}","country_code":"${country}"}`
}

/** 19 digits: no double holds it. */
const beyondSafe = (bits: number) =>
  1_000_000_000_000_000_000n + BigInt(bits) * 1_000_000_007n + BigInt(more(bits, 1))

/** 21 digits, four of them after the point: money as accountants keep it. */
const amountOf = (bits: number) =>
  `${10_000_000 + (bits % 89_999_999)}${100_000_000 + (more(bits, 1) % 899_999_999)}.${1001 + (more(bits, 2) % 899) * 10}`

const tagsOf = (bits: number) =>
  Array.from({ length: bits % 4 }, (_, n) => pick(words.TAGS, more(bits, n)))
