import type { JsonSchema } from '../../../src/protocol/index.ts'
import type { Spec } from '../../../src/runtime/contract.ts'

/** Field names of Airbyte's "Sample Data (Faker)" where it has them; the dials are ours. */
export function spec(): Spec {
  return {
    documentationUrl: 'https://docs.airbyte.com/integrations/sources/faker',
    connectionSpecification: {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'Sample Data',
      type: 'object',
      required: [],
      additionalProperties: false,
      properties: { ...FIELDS, ...DIALS },
    },
  }
}

/** Rows are numbered in 32 bits. */
const MAX_COUNT = 2 ** 31 - 1

const FIELDS: Record<string, JsonSchema> = {
  count: {
    title: 'Count',
    description:
      'Rows of users, purchases and all_types. There are at most 100 products. Raise it between incremental syncs to add rows.',
    type: 'integer',
    minimum: 0,
    maximum: MAX_COUNT,
    default: 1000,
    order: 0,
  },
  seed: {
    title: 'Seed',
    description: 'The same seed gives the same rows.',
    type: 'integer',
    minimum: -MAX_COUNT,
    maximum: MAX_COUNT,
    default: -1,
    order: 1,
  },
  records_per_slice: {
    title: 'Records per stream slice',
    description: 'Rows between two states.',
    type: 'integer',
    minimum: 1,
    maximum: 5000,
    default: 1000,
    order: 2,
  },
  rows_per_second: {
    title: 'Rows per second',
    description: 'Slows reading down. Absent: as fast as possible.',
    type: 'integer',
    minimum: 1,
    order: 3,
  },
}

const AT: Record<string, JsonSchema> = {
  record: { type: 'integer', minimum: 0, description: 'Index of the row, from 0.' },
  stream: { type: 'string', description: 'Only in this stream. Absent: in each.' },
  times: {
    type: 'integer',
    minimum: 1,
    description:
      'So often, then no more; counted per running process and per config. Absent: always.',
  },
}

const dial = (
  description: string,
  own: Record<string, JsonSchema> = {},
  required = ['record'],
) => ({
  type: 'object',
  description: `For tests. ${description}`,
  required,
  additionalProperties: false,
  properties: { ...AT, ...own },
  airbyte_hidden: true,
})

const DIALS: Record<string, JsonSchema> = {
  fail_at: dial('Fails when it reaches the row; the rows before it are emitted, without a state.', {
    kind: {
      type: 'string',
      enum: ['config', 'transient', 'system'],
      default: 'transient',
      description: 'AUTH_FAILED, UPSTREAM_ERROR or INTERNAL.',
    },
    as: {
      type: 'string',
      enum: ['exception', 'event'],
      default: 'exception',
      description: 'The whole read throws, or this stream reports an error and the others go on.',
    },
  }),
  stall_at: dial(
    'Waits before it emits the row, or until it is aborted.',
    { ms: { type: 'integer', minimum: 1 } },
    ['record', 'ms'],
  ),
  repeat_at: dial('Emits the row twice.'),
  drop_complete: {
    type: 'boolean',
    description: 'For tests. Ends without ever saying that a stream is complete.',
    default: false,
    airbyte_hidden: true,
  },
  empty: {
    type: 'boolean',
    description: 'For tests. The streams exist and have no rows.',
    default: false,
    airbyte_hidden: true,
  },
}
