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

/** The fields of a connection, by Airbyte's names. */
export const CONNECTION = {
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
}
