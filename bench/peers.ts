import { execFileSync } from 'node:child_process'
import { pipeline } from 'node:stream/promises'
import { Client } from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { COLUMNS } from './dataset.ts'

/** How the same rows move without us. */
export interface PeerResult {
  name: string
  seconds?: number
  /** Why it could not run here. */
  note?: string
}

type CreateDatabase = (name: string) => Promise<string>

export async function runPeers(source: string, create: CreateDatabase): Promise<PeerResult[]> {
  return [
    await timed('psql COPY | psql COPY', async () => {
      const target = await withTable(await create('peer_psql'))
      return () =>
        shell(
          `psql -q "$FROM" -c "COPY orders TO STDOUT" | psql -q "$TO" -c "COPY orders FROM STDIN"`,
          source,
          target,
        )
    }),
    await timed('pg_dump | psql', async () => {
      const target = await create('peer_dump')
      return () =>
        shell('pg_dump -t orders "$FROM" | psql -q -v ON_ERROR_STOP=1 "$TO"', source, target)
    }),
    await timed('pg-copy-streams pipe in Node', async () => {
      const target = await withTable(await create('peer_node'))
      return () => nodePipe(source, target)
    }),
  ]
}

async function timed(name: string, prepare: () => Promise<() => Promise<void> | void>) {
  try {
    const run = await prepare()
    const started = performance.now()
    await run()
    return { name, seconds: (performance.now() - started) / 1000 }
  } catch (error) {
    const note = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error)
    return { name, note }
  }
}

function shell(command: string, from: string, to: string): void {
  execFileSync('bash', ['-o', 'pipefail', '-c', command], {
    env: { ...process.env, FROM: from, TO: to },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

async function withTable(url: string): Promise<string> {
  const client = new Client(url)
  await client.connect()
  // No key, as our own target has none: an index would slow the peer down.
  await client.query(`CREATE TABLE orders (${COLUMNS.replace('PRIMARY KEY', '')})`)
  await client.end()
  return url
}

async function nodePipe(source: string, target: string): Promise<void> {
  const [from, to] = [new Client(source), new Client(target)]
  await Promise.all([from.connect(), to.connect()])
  await pipeline(
    from.query(copyTo('COPY orders TO STDOUT')),
    to.query(copyFrom('COPY orders FROM STDIN')),
  )
  await Promise.all([from.end(), to.end()])
}
