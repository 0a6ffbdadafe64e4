import type { TestProject } from 'vitest/node'
import { startPostgres } from './embedded-postgres.ts'
import { startTlsServers, type TlsServers } from './tls-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser URL of an empty database on a real PostgreSQL with `wal_level=logical`. */
    pgUrl: string
    /** Real TLS servers, one for each way a server may meet a client. */
    tls: TlsServers
  }
}

export default async function setup(project: TestProject) {
  const postgres = await startPostgres()
  project.provide('pgUrl', await postgres.createDatabase('test'))
  const { stop: stopTls, ...tls } = await startTlsServers()
  project.provide('tls', tls)
  return async () => {
    stopTls()
    await postgres.stop()
  }
}
