import type { Spec } from '../../../src/runtime/contract.ts'
import { CONNECTION } from '../../../src/runtime/mysql/spec.ts'

const CDC = {
  title: 'Log (CDC)',
  description: 'Incremental streams read inserts, updates and deletes from the binlog.',
  type: 'object',
  required: ['method'],
  properties: {
    method: { type: 'string', const: 'CDC', default: 'CDC' },
    initial_waiting_seconds: {
      title: 'Waiting time',
      description: 'Seconds to wait for transactions that were open when a table was taken up.',
      type: 'integer',
      minimum: 1,
      default: 300,
    },
    server_timezone: {
      title: 'Time zone of the server',
      description: 'Accepted and ignored: times come in UTC.',
      type: 'string',
      airbyte_hidden: true,
    },
    initial_load_timeout_hours: { type: 'integer', airbyte_hidden: true },
    invalid_cdc_cursor_position_behavior: {
      title: 'When the position is lost',
      description: 'A sync fails then and says so; nothing is read anew until someone refreshes.',
      type: 'string',
      enum: ['Fail sync'],
      airbyte_hidden: true,
    },
  },
}

/** Airbyte's field names, so that existing configurations work. */
export const SPEC: Spec = {
  documentationUrl: 'https://docs.airbyte.com/integrations/sources/mysql',
  connectionSpecification: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'MySQL',
    type: 'object',
    required: ['host', 'port', 'database', 'username'],
    properties: {
      ...CONNECTION,
      replication_method: {
        title: 'Update method',
        type: 'object',
        order: 7,
        oneOf: [
          {
            title: 'Cursor',
            description: 'Incremental streams read the rows whose cursor column has grown.',
            type: 'object',
            required: ['method'],
            properties: { method: { type: 'string', const: 'STANDARD', default: 'STANDARD' } },
          },
          CDC,
        ],
      },
      tinyint1_is_bit: {
        title: 'TINYINT(1) is a boolean (tinyInt1isBit)',
        description:
          'Off: columns of type TINYINT(1) are integers with all their values, in keys too. Streams that have them as booleans fail then until they are refreshed.',
        type: 'boolean',
        default: true,
        order: 9,
      },
      chunk_rows: { type: 'integer', minimum: 1, airbyte_hidden: true, order: 10 },
      chunk_bytes: { type: 'integer', minimum: 1, airbyte_hidden: true, order: 11 },
      checkpoint_rows: { type: 'integer', minimum: 1, airbyte_hidden: true, order: 12 },
    },
  },
}
