/**
 * `npm run bench:cdc`: snapshots and change data capture of PostgreSQL and MariaDB in workerd, beside
 * what the servers bring for it, in one run on one machine.
 *
 *   npm run bench:cdc -- --changes 1000000 --skip-mariadb
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../scripts/lib/embedded-postgres.ts'
import { startServer } from '../scripts/lib/local-server.ts'
import { detail, say, table } from '../scripts/lib/terminal.ts'
import { type Figure, shown } from './cdc/figures.ts'
import { measureLongTransaction } from './cdc/long-transaction.ts'
import { measureMariadb } from './cdc/mariadb.ts'
import { measurePostgres } from './cdc/postgres.ts'
import { openReader } from './cdc/reader.ts'
import { saveResult } from './results.ts'
import { openWorkbench } from './syncs.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '500000' },
    changes: { type: 'string', default: '500000' },
    transaction: { type: 'string', default: '2000000' },
    'skip-postgres': { type: 'boolean', default: false },
    'skip-mariadb': { type: 'boolean', default: false },
    'skip-memory': { type: 'boolean', default: false },
  },
})
const [rows, changes, transaction] = [values.rows, values.changes, values.transaction].map(Number)
const directory = mkdtempSync(join(tmpdir(), 'airbyte-bench-cdc-'))
const settings = ['shared_buffers=512MB', 'max_wal_size=4GB', 'autovacuum=off']
const [source, other] = [await startPostgres(settings), await startPostgres(settings)]
const state = join(directory, 'state')
const server = await startServer({ stateDirectory: state, inspectorPort: 0 })
const reader = await openReader(join(directory, 'reader'))

try {
  const workbench = await openWorkbench(server.url)
  const bench = { reader, server, workbench, rows: rows as number, changes: changes as number }
  const figures: Record<string, Figure[]> = {}
  if (!values['skip-postgres']) {
    figures.PostgreSQL = print('PostgreSQL', await measurePostgres(bench, { source, other }))
  }
  if (!values['skip-mariadb']) {
    const target = await other.createDatabase('of_mariadb')
    figures.MariaDB = print('MariaDB', await measureMariadb(bench, target))
  }
  let memory: Record<string, number[]> | undefined
  if (!values['skip-memory']) {
    memory = await measureLongTransaction(bench, { source, other }, transaction as number)
    say(`one transaction of ${transaction} changes: live MB over idle, the most of each quarter`)
    for (const [name, quarters] of Object.entries(memory)) detail(`${name}: ${quarters.join(', ')}`)
  }
  await workbench.close()
  const load = Math.round(loadavg()[0] as number)
  say(`load of the machine at the end: ${load}`)
  saveResult('cdc', { rows, changes, transaction, load, figures, memory })
} finally {
  await reader.stop()
  await server.stop()
  await source.stop()
  await other.stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit()

function print(name: string, figures: Figure[]): Figure[] {
  say(name)
  for (const line of table(figures.map(shown))) detail(line)
  return figures
}
