import type { Spec } from '../../../src/runtime/contract.ts'

const mode = (name: string, description: string, extra: Record<string, unknown> = {}) => ({
  title: name,
  description,
  type: 'object',
  required: ['mode'],
  properties: { mode: { type: 'string', const: name, default: name }, ...extra },
})

const CA = {
  ca_certificate: {
    title: 'CA certificate',
    description:
      'PEM of the authority that signed the certificate of the server; empty: a public one.',
    type: 'string',
    airbyte_secret: true,
    multiline: true,
  },
}

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
      host: {
        title: 'Host',
        description: 'Name or address of the server, MySQL or MariaDB.',
        type: 'string',
        order: 0,
      },
      port: {
        title: 'Port',
        type: 'integer',
        minimum: 1,
        maximum: 65535,
        default: 3306,
        order: 1,
      },
      database: { title: 'Database', type: 'string', order: 2 },
      username: { title: 'Username', type: 'string', order: 3 },
      password: { title: 'Password', type: 'string', airbyte_secret: true, order: 4 },
      jdbc_url_params: {
        title: 'JDBC URL parameters',
        description: 'Accepted and ignored: there is no JDBC here.',
        type: 'string',
        airbyte_hidden: true,
        order: 5,
      },
      ssl_mode: {
        title: 'SSL mode',
        description: 'How the connection is encrypted and the server is verified.',
        type: 'object',
        order: 6,
        oneOf: [
          mode('disabled', 'No encryption.'),
          mode('preferred', 'Encryption when the server offers it.'),
          mode('required', 'Always encryption; the certificate is not verified.'),
          mode('verify_ca', 'Encryption, and the certificate must be signed by this CA.', CA),
          mode('verify_identity', 'The certificate must bear the host name as well.', CA),
        ],
      },
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
      tunnel_method: {
        title: 'SSH tunnel',
        type: 'object',
        order: 8,
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
      chunk_rows: { type: 'integer', minimum: 1, airbyte_hidden: true, order: 9 },
      chunk_bytes: { type: 'integer', minimum: 1, airbyte_hidden: true, order: 10 },
      checkpoint_rows: { type: 'integer', minimum: 1, airbyte_hidden: true, order: 11 },
    },
  },
}
