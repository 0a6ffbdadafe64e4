import { enterCredentials } from './setup-form.ts'
import type { ToolCall } from './tool-call.ts'

/** The type of connector and its way of saying "without TLS", by the protocol of a URL. */
const TYPES: Record<string, { type: string; ssl_mode: { mode: string } }> = {
  'postgres:': { type: 'postgres', ssl_mode: { mode: 'disable' } },
  'mysql:': { type: 'mysql', ssl_mode: { mode: 'disabled' } },
}

/** Creates a source or destination for the database of a URL; its password goes by the setup page. */
export async function createDatabaseActor(
  call: ToolCall,
  kind: 'source' | 'destination',
  name: string,
  address: string,
  more: object = {},
): Promise<void> {
  const { protocol, hostname: host, port, pathname, username, password } = new URL(address)
  const { type, ssl_mode } = TYPES[protocol] ?? {}
  const database = pathname.slice(1)
  const config = { host, port: Number(port), database, username, ssl_mode, ...more }
  const { setupUrl } = await call<{ setupUrl: string }>(`create_${kind}`, { name, type, config })
  await enterCredentials(setupUrl, { password })
}
