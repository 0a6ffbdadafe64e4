import type { TestProject } from 'vitest/node'
import { startConnectorRegistry } from './connector-registry.ts'
import { startPostgres } from './embedded-postgres.ts'
import { startHttpServer } from './http-server.ts'
import { mysqlVersion, startMariadb } from './mariadb.ts'
import { type SignInServers, startSignInServers } from './sign-in/index.ts'
import { startTlsServers, type TlsServers } from './tls-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser URL of an empty database on a real PostgreSQL with `wal_level=logical`. */
    pgUrl: string
    /** URL of a user who may do everything on a real MariaDB with a binlog of whole rows. */
    mariadbUrl: string
    /** The version of the MySQL that it is instead, the one that `MYSQLD` names: 8 for 8.0.15; 0: none. */
    mysqlVersion: number
    /** A real HTTP server whose paths say how it behaves. */
    httpUrl: string
    /** A real HTTP server with the API that the tests' manifests read. */
    registryUrl: string
    /** Real TLS servers, one for each way a server may meet a client. */
    tls: TlsServers
    /** Real and forging identity providers to sign in with. */
    signIn: SignInServers
  }
}

export default async function setup(project: TestProject) {
  const [postgres, mariadb] = await Promise.all([startPostgres(), startMariadb()])
  project.provide('mariadbUrl', mariadb.url)
  project.provide('mysqlVersion', mysqlVersion())
  project.provide('pgUrl', await postgres.createDatabase('test'))
  const { stop: stopTls, ...tls } = await startTlsServers()
  project.provide('tls', tls)
  const { stop: stopSignIn, ...signIn } = await startSignInServers()
  project.provide('signIn', signIn)
  const http = await startHttpServer()
  project.provide('httpUrl', http.url)
  const registry = await startConnectorRegistry()
  project.provide('registryUrl', registry.url)
  return async () => {
    stopTls()
    stopSignIn()
    http.stop()
    registry.stop()
    await Promise.all([postgres.stop(), mariadb.stop()])
  }
}
