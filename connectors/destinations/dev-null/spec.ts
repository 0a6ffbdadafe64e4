import type { JsonSchema } from '../../../src/protocol/index.ts'
import type { Spec } from '../../../src/runtime/contract.ts'

/** `test_destination` is Airbyte's; the dials beside it are ours. */
export function spec(): Spec {
  return {
    documentationUrl: 'https://docs.airbyte.com/integrations/destinations/dev-null',
    supported_destination_sync_modes: ['append', 'overwrite', 'append_dedup', 'overwrite_dedup'],
    connectionSpecification: {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'End-to-End Testing',
      type: 'object',
      required: ['test_destination'],
      additionalProperties: false,
      properties: { test_destination: TEST_DESTINATION, ...DIALS },
    },
  }
}

const form = (type: string, title: string, own: Record<string, JsonSchema> = {}) => ({
  type: 'object',
  title,
  required: ['test_destination_type', ...Object.keys(own)],
  additionalProperties: false,
  properties: { test_destination_type: { type: 'string', const: type }, ...own },
})

const TEST_DESTINATION: JsonSchema = {
  title: 'Test destination',
  type: 'object',
  description: 'What happens to rows.',
  default: { test_destination_type: 'SILENT' },
  oneOf: [
    form('SILENT', 'Silent'),
    form('THROTTLED', 'Throttled', {
      millis_per_record: { type: 'integer', minimum: 1, description: 'Milliseconds a row takes.' },
    }),
    form('FAILING', 'Failing', {
      num_messages: { type: 'integer', minimum: 1, description: 'Fails after so many rows.' },
    }),
  ],
}

const DIALS: Record<string, JsonSchema> = {
  fail_at: {
    type: 'object',
    description: 'For tests. Fails at a moment of the load.',
    airbyte_hidden: true,
    required: ['when'],
    additionalProperties: false,
    properties: {
      when: {
        type: 'string',
        enum: ['check', 'prepare', 'load', 'answer', 'finish', 'abort'],
        description:
          'load: before the chunk is in the ledger. answer: after it is, so that the answer is lost.',
      },
      row: {
        type: 'integer',
        minimum: 1,
        description: 'For load: at this row of the generation, counted from 1. Absent: at any.',
      },
      chunk: {
        type: 'integer',
        minimum: 1,
        description: 'For load and answer: at this chunk of the generation. Absent: at any.',
      },
      kind: { type: 'string', enum: ['config', 'transient', 'system'], default: 'transient' },
      times: {
        type: 'integer',
        minimum: 1,
        description: 'So often for each stream, then no more; kept in the ledger. Absent: always.',
      },
    },
  },
  millis_per_chunk: {
    type: 'integer',
    minimum: 1,
    description: 'For tests. Milliseconds each chunk takes before it is in the ledger.',
    airbyte_hidden: true,
  },
  reject_every: {
    type: 'integer',
    minimum: 1,
    description: 'For tests. Rejects every k-th row of a chunk.',
    airbyte_hidden: true,
  },
}
