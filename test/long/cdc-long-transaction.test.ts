import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { measureLongTransaction } from '../../bench/cdc/long-transaction.ts'
import { openWorkbench } from '../../bench/syncs.ts'
import { startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { startServer } from '../support/dev-server.ts'

/** What reading, staging and loading may take above idle, together. */
const MOST_MB = 40
const CHANGES = Number(process.env.CHANGES ?? 2_000_000)

it('a transaction of 2 M changes, longer than a slice, is moved whole in bounded memory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'airbyte-transaction-'))
  const settings = ['max_wal_size=4GB', 'shared_buffers=256MB']
  const [source, other] = [await startPostgres(settings), await startPostgres(settings)]
  const server = await startServer({ stateDirectory: directory, inspectorPort: 0 })
  try {
    const workbench = await openWorkbench(server.url)
    const memory = await measureLongTransaction({ server, workbench }, { source, other }, CHANGES)
    console.log(memory)
    expect(Math.max(...Object.values(memory).flat())).toBeLessThan(MOST_MB)
    await workbench.close()
  } finally {
    await server.stop()
    await source.stop()
    await other.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}, 900_000)
