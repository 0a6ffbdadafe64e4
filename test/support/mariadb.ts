import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../scripts/lib/ports.ts'

const PASSWORD = 'pw'
const INSTALL_LINE = 'apt-get update && apt-get install -y --no-install-recommends mariadb-server'
const START_MS = 30_000
const CERTS = join(import.meta.dirname, 'certs')

export interface RunningMariadb {
  /** URL of a user who may do everything, to an empty database. */
  url: string
  stop(): Promise<void>
}

export interface OwnMariadb extends RunningMariadb {
  /** Kills it as a power cut would, and starts it on its data. */
  crash(): Promise<void>
  /** Stops it in order, and starts it on its data with these options beside those that it had. */
  restart(more: string[]): Promise<void>
}

/**
 * The server that all tests share: our own, or the one that `MARIADB_URL` names. `MYSQLD` names the
 * program of a MySQL to run them on instead of MariaDB: `MYSQLD=/usr/sbin/mysqld npm test`.
 */
export async function startMariadb(): Promise<RunningMariadb> {
  const given = process.env.MARIADB_URL
  return given ? { url: given, stop: async () => {} } : startOwnMariadb()
}

/**
 * A real MariaDB that writes a binlog of whole rows with names, on a free loopback port: about a
 * second, and three more when the data directory has to be prepared first. Without a server on the
 * machine: an error that says how to install one.
 *
 * @param more options of the server, beside those that every test has
 */
export async function startOwnMariadb(more: string[] = []): Promise<OwnMariadb> {
  const server = serverBinary()
  const directory = mkdtempSync(join(tmpdir(), 'airbyte-mariadb-'))
  const datadir = join(directory, 'data')
  cpSync(preparedDatadir(server, more), datadir, { recursive: true })
  const port = await freePort()
  const options = [...serverOptions(directory, datadir, port), ...more]
  let child = await run(server, options, port)
  process.once('exit', () => child.kill('SIGKILL'))
  const startAgain = async (others: string[]) => {
    const again = options.filter((option) => !option.startsWith('--init-file'))
    child = await run(server, [...again, ...others], port)
  }
  return {
    url: `mysql://root:${PASSWORD}@127.0.0.1:${port}/test`,
    async crash() {
      await end(child, 'SIGKILL')
      await startAgain([])
    },
    async restart(others) {
      await end(child, 'SIGTERM')
      await startAgain(others)
    },
    async stop() {
      await end(child, 'SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function run(server: string, options: string[], port: number): Promise<ChildProcess> {
  const child = spawn(server, options, { stdio: ['ignore', 'ignore', 'pipe'] })
  const log: string[] = []
  child.stderr.on('data', (bytes) => log.push(String(bytes)))
  await started(child, port, log)
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  if (child.exitCode === null && child.kill(signal)) await ended
}

function serverBinary(): string {
  const { MYSQLD } = process.env
  if (MYSQLD) return MYSQLD
  for (const path of ['/usr/sbin/mariadbd', '/usr/local/sbin/mariadbd', '/usr/bin/mariadbd']) {
    if (existsSync(path)) return path
  }
  throw new Error(
    `The tests need a MariaDB server, and there is no mariadbd here. Install it (${INSTALL_LINE}), or name a running one in MARIADB_URL.`,
  )
}

/** What holds for the preparation as well: small files, nothing synced to disk. */
const STORAGE = [
  // MySQL calls it otherwise.
  '--loose-innodb-log-file-size=16M',
  '--loose-innodb-redo-log-capacity=16M',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=0',
  '--innodb-flush-method=nosync',
]

/** As root the server insists on being told whom to run as. */
const asUser = () => (process.getuid?.() === 0 ? ['--user=root'] : [])

/** Major and minor, as a number: 9.7. */
export const mysqlVersion = () =>
  process.env.MYSQLD ? Number.parseFloat(versionOf(process.env.MYSQLD)) : 0

function versionOf(server: string): string {
  const answer = spawnSync(server, ['--no-defaults', '--version']).stdout.toString()
  return answer.match(/Ver (\S+)/)?.[1] ?? ''
}

const isMysql = (server: string) => server === process.env.MYSQLD

/** The system tables, made once for each version of the server and copied for every run. */
function preparedDatadir(server: string, more: string[]): string {
  const version = versionOf(server)
  const cache = join(import.meta.dirname, '../../node_modules/.cache')
  // MySQL fixes this with the first start.
  const fixed = isMysql(server) ? more.filter((option) => option.includes('lower-case')) : []
  const prepared = join(cache, [isMysql(server) ? 'mysql' : 'mariadb', version, ...fixed].join('-'))
  if (existsSync(prepared)) return prepared
  const fresh = mkdtempSync(join(tmpdir(), 'airbyte-mariadb-new-'))
  const [program, options] = isMysql(server)
    ? [server, ['--no-defaults', '--initialize-insecure']]
    : [
        'mariadb-install-db',
        ['--no-defaults', '--skip-test-db', '--auth-root-authentication-method=normal'],
      ]
  const all = [...options, `--datadir=${fresh}`, ...asUser(), ...STORAGE, ...fixed]
  const { status, stderr, stdout } = spawnSync(program, all)
  if (status !== 0) throw new Error(`${program} failed: ${stderr}${stdout}`)
  // Every server of MySQL has an id of its own, from its first start on.
  rmSync(join(fresh, 'auto.cnf'), { force: true })
  const own = `${prepared}.${process.pid}`
  cpSync(fresh, own, { recursive: true })
  rmSync(fresh, { recursive: true })
  try {
    renameSync(own, prepared)
  } catch {
    // Another run was faster.
    rmSync(own, { recursive: true })
  }
  return prepared
}

function serverOptions(directory: string, datadir: string, port: number): string[] {
  const init = join(directory, 'init.sql')
  const user = "'root'@'127.0.0.1'"
  writeFileSync(
    init,
    [
      `CREATE USER IF NOT EXISTS ${user};`,
      `ALTER USER ${user} IDENTIFIED BY '${PASSWORD}';`,
      `GRANT ALL PRIVILEGES ON *.* TO ${user} WITH GRANT OPTION;`,
      'CREATE DATABASE test CHARACTER SET utf8mb4;',
    ].join('\n'),
  )
  return [
    '--no-defaults',
    ...asUser(),
    ...STORAGE,
    `--datadir=${datadir}`,
    `--init-file=${init}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${join(directory, 'sock')}`,
    `--pid-file=${join(directory, 'pid')}`,
    ...['--skip-name-resolve', '--local-infile=ON'],
    // MySQL's own.
    ...['--loose-cte-max-recursion-depth=1000000', '--loose-mysqlx=OFF'],
    ...['--loose-gtid-mode=ON', '--loose-enforce-gtid-consistency=ON'],
    '--max-connections=200',
    '--innodb-buffer-pool-size=64M',
    '--server-id=1',
    '--log-bin=binlog',
    '--binlog-format=ROW',
    '--binlog-row-image=FULL',
    '--binlog-row-metadata=FULL',
    '--sync-binlog=0',
    `--ssl-ca=${join(CERTS, 'ca.pem')}`,
    `--ssl-cert=${join(CERTS, 'rsa.pem')}`,
    `--ssl-key=${join(CERTS, 'rsa.key')}`,
  ]
}

/** Resolves when the server greets. */
async function started(child: ChildProcess, port: number, log: string[]): Promise<void> {
  for (const end = Date.now() + START_MS; Date.now() < end; ) {
    if (child.exitCode !== null) break
    if (await greets(port)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  child.kill('SIGKILL')
  throw new Error(`MariaDB did not start: ${log.join('').slice(-2000)}`)
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('data', () => done(true)).once('error', () => done(false))
    socket.once('close', () => done(false))
  })
}
