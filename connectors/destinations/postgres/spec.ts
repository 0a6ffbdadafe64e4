import type { Spec } from '../../../src/runtime/contract.ts'
import { deletionMode } from '../../../src/runtime/loading/deletion-mode.ts'

const mode = (name: string, title: string, extra: Record<string, unknown> = {}) => ({
  title,
  type: 'object',
  required: ['mode', ...Object.keys(extra)],
  properties: { mode: { type: 'string', const: name }, ...extra },
})

const CA = {
  ca_certificate: {
    type: 'string',
    title: 'CA certificate',
    description: 'PEM of the authority that signed the server certificate.',
    airbyte_secret: true,
    multiline: true,
  },
}

/** The fields of Airbyte's destination-postgres that matter here; its others are accepted and ignored. */
export const SPEC: Spec = {
  documentationUrl: 'https://docs.airbyte.com/integrations/destinations/postgres',
  supported_destination_sync_modes: ['append', 'overwrite', 'append_dedup', 'overwrite_dedup'],
  connectionSpecification: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Postgres Destination Spec',
    type: 'object',
    required: ['host', 'port', 'username', 'database', 'schema'],
    additionalProperties: true,
    properties: {
      host: { type: 'string', title: 'Host', order: 0 },
      port: {
        type: 'integer',
        title: 'Port',
        minimum: 1,
        maximum: 65_535,
        default: 5432,
        examples: ['5432'],
        order: 1,
      },
      database: { type: 'string', title: 'Database', order: 2 },
      schema: {
        type: 'string',
        title: 'Default schema',
        description: 'Where streams without a namespace land; it also holds the ledger of loads.',
        default: 'public',
        order: 3,
      },
      username: { type: 'string', title: 'User', order: 4 },
      password: { type: 'string', title: 'Password', airbyte_secret: true, order: 5 },
      ssl_mode: {
        type: 'object',
        title: 'SSL mode',
        order: 7,
        default: { mode: 'prefer' },
        oneOf: [
          mode('disable', 'disable'),
          mode('allow', 'allow'),
          mode('prefer', 'prefer'),
          mode('require', 'require'),
          mode('verify-ca', 'verify-ca', CA),
          {
            ...mode('verify-full', 'verify-full'),
            properties: { mode: { type: 'string', const: 'verify-full' }, ...CA },
          },
        ],
      },
      cdc_deletion_mode: deletionMode(9),
      raw_data_schema: {
        type: 'string',
        title: 'Raw table schema',
        description: 'Accepted for compatibility; rows go to their tables directly.',
        order: 8,
      },
    },
  },
}
