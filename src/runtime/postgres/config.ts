/** PostgreSQL's six SSL modes, by libpq's names. */
export type SslModeName = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

export interface SslMode {
  mode: SslModeName
  /** PEM of the CA that signed the server's certificate. */
  ca_certificate?: string
  /** Client certificates are not supported; naming them is an error, not a downgrade. */
  client_certificate?: string
  client_key?: string
}

/** The connection fields that Airbyte's source-postgres and destination-postgres share. */
export interface PostgresConfig {
  host: string
  /** Default 5432. */
  port?: number
  database: string
  username: string
  password?: string
  /** Default `prefer`, as libpq's. */
  ssl_mode?: SslMode
  tunnel_method?: { tunnel_method: string }
}
