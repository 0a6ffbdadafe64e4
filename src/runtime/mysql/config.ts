/** MySQL's SSL modes by Airbyte's names; `disabled` is ours. */
export type SslModeName = 'disabled' | 'preferred' | 'required' | 'verify_ca' | 'verify_identity'

export interface SslMode {
  mode: SslModeName
  /** PEM of the CA that signed the server's certificate. */
  ca_certificate?: string
  /** Client certificates are not supported; naming them is an error, not a downgrade. */
  client_certificate?: string
  client_key?: string
}

/** The connection fields of Airbyte's source-mysql. */
export interface MysqlConfig {
  host: string
  /** Default 3306. */
  port?: number
  database: string
  username: string
  password?: string
  /** Default `preferred`, as the mysql client's. */
  ssl_mode?: SslMode
  tunnel_method?: { tunnel_method: string }
}

export const DEFAULT_PORT = 3306
