import type { Spec } from '../../../src/runtime/contract.ts'
import { AFTER_LOADING } from './cdc/config.ts'

const mode = (
  name: string,
  description: string,
  extra: Record<string, unknown> = {},
  required = Object.keys(extra),
) => ({
  title: name,
  description,
  type: 'object',
  required: ['mode', ...required],
  properties: { mode: { type: 'string', const: name, default: name }, ...extra },
})

const CA = {
  ca_certificate: {
    title: 'CA certificate',
    description: 'PEM of the authority that signed the certificate of the server.',
    type: 'string',
    airbyte_secret: true,
    multiline: true,
  },
}

const CDC_METHOD = {
  title: 'Log (CDC)',
  description:
    'Incremental streams follow the log of the server by a replication slot: inserts, updates and deletes. Needs wal_level = logical; see docs/cdc.md.',
  type: 'object',
  required: ['method'],
  properties: {
    method: { type: 'string', const: 'CDC', default: 'CDC' },
    plugin: { type: 'string', const: 'pgoutput', default: 'pgoutput', airbyte_hidden: true },
    replication_slot: {
      title: 'Replication slot',
      description: 'Made if there is none of this name. Empty: one named after the source.',
      type: 'string',
      pattern: '^[a-z0-9_]{1,63}$',
    },
    publication: {
      title: 'Publication',
      description: 'Made, or added to, for the tables that are synced; never for all tables.',
      type: 'string',
      minLength: 1,
    },
    insert_only_tables: {
      title: 'Tables that are only inserted into',
      description: 'As schema.table: these need no primary key and no replica identity.',
      type: 'array',
      items: { type: 'string' },
    },
    initial_waiting_seconds: {
      title: 'Seconds to wait for open transactions',
      description: 'Before the snapshot of a table that was published just now.',
      type: 'integer',
      minimum: 1,
      maximum: 3600,
      default: 300,
    },
    heartbeat_action_query: {
      title: 'Heartbeat statement',
      description: 'Run every minute while the log is read; a quiet database does not need it.',
      type: 'string',
    },
    lsn_commit_behaviour: {
      title: 'When log is acknowledged',
      description:
        'While reading: once it is staged durably, so that a slow destination does not fill the server. After loading: the server keeps it until every stream has loaded it.',
      type: 'string',
      enum: ['While reading Data', AFTER_LOADING],
      default: 'While reading Data',
    },
    queue_size: { type: 'integer', airbyte_hidden: true },
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
  documentationUrl: 'https://docs.airbyte.com/integrations/sources/postgres',
  connectionSpecification: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Postgres',
    type: 'object',
    required: ['host', 'port', 'database', 'username'],
    properties: {
      host: {
        title: 'Host',
        description: 'Name or address of the server.',
        type: 'string',
        order: 0,
      },
      port: {
        title: 'Port',
        type: 'integer',
        minimum: 1,
        maximum: 65535,
        default: 5432,
        order: 1,
      },
      database: { title: 'Database', type: 'string', order: 2 },
      schemas: {
        title: 'Schemas',
        description: 'Schemas to read from; empty: all but the system schemas.',
        type: 'array',
        items: { type: 'string' },
        uniqueItems: true,
        default: ['public'],
        order: 3,
      },
      username: { title: 'Username', type: 'string', order: 4 },
      password: { title: 'Password', type: 'string', airbyte_secret: true, order: 5 },
      jdbc_url_params: {
        title: 'JDBC URL parameters',
        description: 'Accepted and ignored: there is no JDBC here.',
        type: 'string',
        airbyte_hidden: true,
        order: 6,
      },
      ssl_mode: {
        title: 'SSL mode',
        description: 'How the connection is encrypted and the server is verified.',
        type: 'object',
        order: 7,
        oneOf: [
          mode('disable', 'No encryption.'),
          mode('allow', 'Encryption only when the server insists.'),
          mode('prefer', 'Encryption when the server offers it.'),
          mode('require', 'Always encryption; the certificate is not verified.'),
          mode('verify-ca', 'Encryption, and the certificate must be signed by this CA.', CA),
          mode(
            'verify-full',
            'The certificate must bear the host name and be signed by this CA, or a public one.',
            CA,
            [],
          ),
        ],
      },
      replication_method: {
        title: 'Update method',
        type: 'object',
        order: 8,
        oneOf: [
          {
            title: 'Cursor',
            description: 'Incremental streams read the rows whose cursor column has grown.',
            type: 'object',
            required: ['method'],
            properties: { method: { type: 'string', const: 'Standard', default: 'Standard' } },
          },
          CDC_METHOD,
        ],
      },
      tunnel_method: {
        title: 'SSH tunnel',
        type: 'object',
        order: 9,
        oneOf: [
          {
            title: 'No tunnel',
            type: 'object',
            required: ['tunnel_method'],
            properties: {
              tunnel_method: { type: 'string', const: 'NO_TUNNEL', default: 'NO_TUNNEL' },
            },
          },
        ],
      },
      chunk_rows: { type: 'integer', minimum: 1, airbyte_hidden: true, order: 10 },
      chunk_bytes: { type: 'integer', minimum: 1, airbyte_hidden: true, order: 11 },
      checkpoint_rows: { type: 'integer', minimum: 1, airbyte_hidden: true, order: 12 },
    },
  },
}
