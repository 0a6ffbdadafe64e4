/**
 * `npm run demo`: a real PostgreSQL, the server on workerd, and an MCP client that does what a model
 * would do when somebody says "copy my database every six hours".
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client as Database } from 'pg'
import { loadDemoData } from './lib/demo-data.ts'
import { type RunningPostgres, startPostgres } from './lib/embedded-postgres.ts'
import { type RunningServer, startServer } from './lib/local-server.ts'
import { connectMcp } from './lib/mcp-client.ts'
import { enterCredentials } from './lib/setup-form.ts'
import { followSync, printReceipt } from './lib/sync-report.ts'
import { detail, say, table } from './lib/terminal.ts'
import { type ToolCall, toolsOf } from './lib/tool-call.ts'

/** What is read back at the end, by table. */
const COMPARED = {
  movies: 'id, title, released, rating, director, worldwide_gross, imdb_rating, tags, updated_at',
  flights: 'id, departed_at, origin, destination, distance, delay_minutes, updated_at',
  airports: 'iata, name, city, state, country, latitude, longitude, updated_at',
}

const directory = mkdtempSync(join(tmpdir(), 'airbyte-demo-'))
const cleanups: (() => Promise<unknown>)[] = []

try {
  await demo()
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup().catch(() => {})
  rmSync(directory, { recursive: true, force: true })
}

async function demo() {
  const starting = [startDatabase(), startAirbyte()] as const
  // Where one cannot start, the other has to be there to be stopped.
  await Promise.allSettled(starting)
  const [postgres, server] = await Promise.all(starting)
  const shop = await openDatabase(postgres, 'shop')
  const counts = await loadDemoData(shop.client)
  const total = Object.values(counts).reduce((sum, rows) => sum + rows, 0)
  say(`PostgreSQL holds ${total.toLocaleString('en')} rows of vega-datasets`)
  detail(
    Object.entries(counts)
      .map(([name, rows]) => `${name} ${rows}`)
      .join(', '),
  )
  const warehouse = await openDatabase(postgres, 'warehouse')

  const client = await connectMcp(server.url, 'demo')
  cleanups.push(() => client.close())
  const call = toolsOf(client)
  const { tools } = await client.listTools()
  say(`MCP client signed in by OAuth at ${server.url}/mcp: ${tools.length} tools`)

  const { items } = await call<{ items: { name: string; kind: string }[] }>('search_connectors', {})
  say('search_connectors')
  detail(items.map(({ name, kind }) => `${kind} ${name}`).join(', '))

  await createActor(call, 'source', 'shop', shop)
  await createActor(call, 'destination', 'warehouse', warehouse)
  await lookAround(call)
  const connection = await createConnection(call)

  say('run_sync: everything')
  printReceipt(await followSync(call, connection))

  await changeSomeRows(shop.client)
  say('run_sync: only what changed')
  printReceipt(await followSync(call, connection))

  await compare(shop.client, warehouse.client)
}

async function startDatabase(): Promise<RunningPostgres> {
  const postgres = await startPostgres()
  cleanups.push(() => postgres.stop())
  say(`PostgreSQL listens on port ${postgres.port}`)
  return postgres
}

async function startAirbyte(): Promise<RunningServer> {
  const server = await startServer({ stateDirectory: join(directory, 'state') })
  cleanups.push(() => server.stop())
  say(
    `airbyte serves on ${server.url} (workerd, with its objects, queues and buckets on this disk)`,
  )
  return server
}

interface OpenDatabase {
  client: Database
  /** Fields of the connector's config that are no secret. */
  config: Record<string, unknown>
  password: string
}

async function openDatabase(postgres: RunningPostgres, name: string): Promise<OpenDatabase> {
  const url = new URL(await postgres.createDatabase(name))
  const client = new Database(url.href)
  await client.connect()
  cleanups.push(() => client.end())
  const { hostname: host, port, username, password } = url
  const ssl_mode = { mode: 'disable' }
  return {
    client,
    config: { host, port: Number(port), database: name, username, ssl_mode },
    password,
  }
}

interface CreatedActor {
  id: string
  setupUrl?: string
  setupId?: string
}

async function createActor(
  call: ToolCall,
  kind: 'source' | 'destination',
  name: string,
  { config, password }: OpenDatabase,
) {
  const created = await call<CreatedActor>(`create_${kind}`, { name, type: 'postgres', config })
  if (created.setupUrl) {
    await enterCredentials(created.setupUrl, { password })
    await call('get_setup', { setupId: created.setupId, waitSeconds: 10 })
  }
  const check = await call<{ ok: boolean }>('check_resource', { id: name })
  if (!check.ok) throw new Error(`${name} does not connect: ${JSON.stringify(check)}`)
  say(`create_${kind} ${name}, password by its setup page, check_resource: ok`)
}

async function lookAround(call: ToolCall) {
  const { streams } = await call<{ streams: { name: string; primaryKey: string[][] }[] }>(
    'discover_streams',
    { source: 'shop' },
  )
  say('discover_streams')
  detail(streams.map(({ name, primaryKey }) => `${name} (key ${primaryKey})`).join(', '))
  const { records } = await call<{ records: Record<string, unknown>[] }>('preview_records', {
    source: 'shop',
    stream: 'movies',
    limit: 3,
  })
  say('preview_records movies')
  const shown = records.map(({ id, title, rating, imdb_rating }) => ({
    id,
    title,
    rating,
    imdb_rating,
  }))
  for (const line of table(shown)) detail(line)
}

async function createConnection(call: ToolCall): Promise<string> {
  const { nextRunAt } = await call<{ nextRunAt: string }>('create_connection', {
    name: 'shop-to-warehouse',
    source: 'shop',
    destination: 'warehouse',
    streams: ['movies', 'flights', 'airports'].map((name) => ({
      name,
      syncMode: 'incremental',
      cursorField: 'updated_at',
      destinationSyncMode: 'append_dedup',
    })),
    schedule: { cron: '0 */6 * * *', timezone: 'Europe/Berlin' },
  })
  say(`create_connection shop-to-warehouse, every six hours, next at ${nextRunAt}`)
  return 'shop-to-warehouse'
}

async function changeSomeRows(shop: Database) {
  const updated = await shop.query(
    `UPDATE movies SET rating = 'G', updated_at = now() WHERE director = 'Steven Spielberg'`,
  )
  const inserted = await shop.query(
    `INSERT INTO airports VALUES ('ZZZ', 'Nowhere', 'Null Island', '', '', 0, 0, now())`,
  )
  say(`in the source: ${updated.rowCount} movies updated, ${inserted.rowCount} airport inserted`)
}

async function compare(shop: Database, warehouse: Database) {
  const rows = []
  for (const [name, columns] of Object.entries(COMPARED)) {
    const fingerprint = `SELECT count(*)::int AS rows, md5(string_agg(t::text, '' ORDER BY t::text)) AS md5
      FROM (SELECT ${columns} FROM public.${name}) t`
    const [there, here] = await Promise.all([shop.query(fingerprint), warehouse.query(fingerprint)])
    const equal = there.rows[0].md5 === here.rows[0].md5
    if (!equal) process.exitCode = 1
    rows.push({ table: name, source: there.rows[0].rows, warehouse: here.rows[0].rows, equal })
  }
  say('read back by SQL, every value compared by its hash')
  for (const line of table(rows)) detail(line)
}
