import pg from 'pg'
import { AirbyteError, type StreamKey, streamKey } from '../../protocol/index.ts'
import { mapPostgresError } from '../../runtime/postgres/errors.ts'
import type { LogWarning } from '../../runtime/source-log.ts'
import {
  checkTables,
  nameOf,
  type PublishedTable,
  qualified,
  unsuitable,
} from './published-table.ts'

/**
 * Publishes these tables, and only these: creates the publication or adds what an existing one lacks.
 * Insert-only tables get a publication of their own, `<name>_inserts`, since publishing updates of a
 * table without replica identity would make the server refuse them. Nothing is taken out of a
 * publication, and no table is altered.
 *
 * Returns the publications to read, their incarnations for `guardPublications`, the tables that are new
 * in them (before those are snapshotted, `waitForOpenTransactions`), and for tables that the publication
 * does not have whole an error each, CDC_TABLE_UNSUITABLE with the stream.
 *
 * Rejects with CDC_TABLE_UNSUITABLE (naming the remedy), CDC_SETUP_REQUIRED (a right, or an adopted
 * publication that leaves changes out) or STREAM_NOT_FOUND.
 */
export async function ensurePublication(
  client: pg.Client,
  name: string,
  tables: PublishedTable[],
): Promise<{
  publications: string[]
  incarnations: Record<string, string>
  added: PublishedTable[]
  failed: AirbyteError[]
}> {
  const problem = (await checkTables(client, tables)).find((found) => found !== undefined)
  if (problem) throw problem
  const publications: string[] = []
  const added: PublishedTable[] = []
  const failed: AirbyteError[] = []
  for (const insertOnly of [false, true]) {
    const wanted = tables.filter((table) => (table.insertOnly ?? false) === insertOnly)
    if (wanted.length === 0) continue
    const publication = insertOnly ? `${name}_inserts` : name
    publications.push(publication)
    added.push(...(await publish(client, publication, wanted, insertOnly)))
    failed.push(...(await unpublishedParts(client, publication, wanted)))
  }
  return { publications, incarnations: await incarnationsOf(client, publications), added, failed }
}

/**
 * Whether the publication can be read or, if there is none of this name, made. Changes nothing; who owns
 * the tables is seen when they are chosen. Rejects with CDC_SETUP_REQUIRED.
 */
export async function checkPublication(client: pg.Client, name: string | undefined): Promise<void> {
  const existing = name === undefined ? undefined : await readPublication(client, name)
  if (name !== undefined && existing) return refusePartial(existing, name, false)
  const { rows } = await client.query<{ may: string; database: string; username: string }>(
    `SELECT has_database_privilege(current_database(), 'CREATE') AS may,
       current_database() AS database, current_user AS username`,
  )
  const { may, database = '', username = '' } = rows[0] ?? {}
  if (may === 't') return
  throw setupRequired(`The user '${username}' may not create a publication in '${database}'.`, {
    hint: `Run GRANT CREATE ON DATABASE ${pg.escapeIdentifier(database)} TO ${pg.escapeIdentifier(username)}; as its owner (and make the user an owner of the tables), or name a publication that their owner made.`,
  })
}

/**
 * Makes sure that no publication was dropped, made anew or altered. From PostgreSQL 18 on the server
 * passes over a publication that is missing, and its changes with it: so look before reading and again
 * before what was read is acknowledged. What happened to a table alone, `untoldTables` tells.
 *
 * Rejects with CDC_POSITION_LOST; the log may lack changes then, and only a refresh makes that good.
 */
export async function guardPublications(
  client: pg.Client,
  incarnations: Record<string, string>,
): Promise<void> {
  const found = await incarnationsOf(client, Object.keys(incarnations))
  for (const [name, before] of Object.entries(incarnations)) {
    const [oid, version] = (found[name] ?? '').split('/')
    const [knownOid, knownVersion] = before.split('/')
    if (!oid) throw publicationLost(`The publication '${name}' was dropped.`)
    if (oid !== knownOid)
      throw publicationLost(`The publication '${name}' was dropped and made anew.`)
    // Older logs did not keep the version.
    if (knownVersion === undefined || knownVersion === version) continue
    if (hasOtherOwner(before, found[name])) continue
    throw publicationLost(`The publication '${name}' was altered: it may have left changes out.`)
  }
}

/**
 * Whether it was given to another owner and is otherwise as it was. What it publishes follows from the
 * rest, unless that was altered too and altered back.
 */
function hasOtherOwner(before: string, now = ''): boolean {
  const [, , owner, options] = now.split('/')
  const [, , knownOwner, knownOptions] = before.split('/')
  // Older logs did not keep these.
  return knownOwner !== undefined && owner !== knownOwner && options === knownOptions
}

/** Of publications that are read on under another owner, what nobody can know. */
export function otherOwners(
  before: Record<string, string>,
  now: Record<string, string>,
): LogWarning[] {
  const names = Object.keys(before).filter((name) => hasOtherOwner(before[name] ?? '', now[name]))
  return names.map((name) => ({
    message: `The publication '${name}' got another owner. If it was also altered meanwhile, and altered back, the log lacks changes of then: refresh all streams of the connection, with remove.`,
  }))
}

/**
 * Waits until every transaction that is open now has ended. What those wrote to a table before it was
 * published is in no log that we read; a snapshot taken after them sees it.
 * Rejects with TIMEOUT, naming the oldest.
 */
export async function waitForOpenTransactions(client: pg.Client, timeoutMs: number): Promise<void> {
  const until = Date.now() + timeoutMs
  // A number of our own: who has written already has a smaller one.
  const { rows: own } = await client.query<{ xid: string }>(
    'SELECT pg_catalog.pg_current_xact_id() AS xid',
  )
  for (;;) {
    const { rows } = await client.query<{ done: string; pid: string | null }>(
      `SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) > $1::xid8 AS done,
         (SELECT pid FROM pg_catalog.pg_stat_activity WHERE backend_xid IS NOT NULL
          ORDER BY xact_start LIMIT 1) AS pid`,
      [own[0]?.xid],
    )
    if (rows[0]?.done === 't') return
    if (Date.now() >= until) {
      throw new AirbyteError(
        'TIMEOUT',
        `Transactions that were open when a table was published still are${rows[0]?.pid ? `; the oldest is of process ${rows[0].pid}` : ''}.`,
        { hint: 'End the open transactions (prepared ones too); it is tried again.' },
      )
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Drops what `ensurePublication` created. */
export async function dropPublication(client: pg.Client, name: string): Promise<void> {
  for (const publication of [name, `${name}_inserts`]) {
    await client.query(`DROP PUBLICATION IF EXISTS ${pg.escapeIdentifier(publication)}`)
  }
}

const POLL_MS = 200

/** What ALTER PUBLICATION … SET or OWNER TO leaves behind is a newer version of the row; a table added leaves none. */
async function incarnationsOf(client: pg.Client, names: string[]) {
  const { rows } = await client.query<{ pubname: string; incarnation: string }>(
    `SELECT pubname, concat_ws('/', oid, xmin, pubowner, md5((to_jsonb(p) - 'pubowner')::text)) AS incarnation
     FROM pg_catalog.pg_publication p WHERE pubname = ANY ($1::text[])`,
    [names],
  )
  return Object.fromEntries(rows.map(({ pubname, incarnation }) => [pubname, incarnation]))
}

const publicationLost = (message: string) =>
  new AirbyteError('CDC_POSITION_LOST', message, {
    field: 'config.replication_method.publication',
    hint: 'What was written meanwhile is in no log that we can read. Refresh all streams of the connection, with remove.',
  })

/** Partitions' rows come as their root's: a partition made later is the same stream. */
async function publish(
  client: pg.Client,
  name: string,
  wanted: PublishedTable[],
  insertOnly: boolean,
): Promise<PublishedTable[]> {
  const existing = await readPublication(client, name)
  if (existing) refusePartial(existing, name, insertOnly)
  const published = new Set(existing?.tables)
  const added = wanted.filter((table) => !existing?.allTables && !published.has(nameOf(table)))
  if (existing && added.length === 0) return []
  const list = added.map(qualified).join(', ')
  const actions = insertOnly ? 'insert' : 'insert, update, delete, truncate'
  const options = [`publish = '${actions}'`, 'publish_via_partition_root = true']
  if (await publishesGenerated(client)) options.push('publish_generated_columns = stored')
  const sql = existing
    ? `ALTER PUBLICATION ${pg.escapeIdentifier(name)} ADD TABLE ${list}`
    : `CREATE PUBLICATION ${pg.escapeIdentifier(name)} FOR TABLE ${list} WITH (${options.join(', ')})`
  try {
    await client.query(sql)
  } catch (error) {
    throw publishingRefused(error, sql)
  }
  return added
}

async function publishesGenerated(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ version: string }>(
    `SELECT current_setting('server_version_num') AS version`,
  )
  return Number(rows[0]?.version) >= 180000
}

/**
 * Generated columns are in the log only from PostgreSQL 18, and virtual ones never; a publication of
 * someone else's may list columns, or leave rows out. A snapshot would have what its changes then lack.
 */
async function unpublishedParts(
  client: pg.Client,
  publication: string,
  tables: PublishedTable[],
): Promise<AirbyteError[]> {
  const { rows } = await client.query<PublishedParts>(
    `SELECT t.schemaname AS schema, t.tablename AS name,
       pg_catalog.to_jsonb(t) ->> 'attnames' AS columns, pg_catalog.to_jsonb(t) ->> 'rowfilter' AS filter
     FROM pg_catalog.pg_publication_tables t WHERE t.pubname = $1`,
    [publication],
  )
  const found = new Map(rows.map((row) => [nameOf(row), row]))
  return tables.flatMap((table) => {
    const parts = found.get(nameOf(table))
    return (parts && problemOfParts(publication, table, parts)) ?? []
  })
}

/** The lists came with PostgreSQL 15; before, they are null. */
interface PublishedParts {
  schema: string
  name: string
  columns: string | null
  filter: string | null
}

function problemOfParts(
  publication: string,
  table: PublishedTable,
  { columns, filter }: PublishedParts,
): AirbyteError | undefined {
  const stream = nameOf(table)
  const name = pg.escapeIdentifier(publication)
  if (filter !== null) {
    return unsuitable(
      stream,
      `The publication '${publication}' leaves rows of ${qualified(table)} out: WHERE ${filter}.`,
      {
        hint: `Run ALTER PUBLICATION ${name} DROP TABLE ${qualified(table)}; ALTER PUBLICATION ${name} ADD TABLE ${qualified(table)}; as its owner, or give the stream that filter as a mapping and the source another publication.`,
      },
    )
  }
  const published = columns === null ? undefined : new Set(JSON.parse(columns) as string[])
  const absent = table.columns?.find((column) => published && !published.has(column))
  if (absent === undefined) return undefined
  return unsuitable(stream, `The column '${absent}' of ${qualified(table)} is not in the log.`, {
    hint: `Deselect the column '${absent}'. (Stored generated columns are in the log from PostgreSQL 18; others are if the publication '${publication}' lists them.)`,
  })
}

interface Publication {
  allTables: boolean
  updates: boolean
  deletes: boolean
  truncates: boolean
  inserts: boolean
  viaRoot: boolean
  tables: StreamKey[]
}

async function readPublication(client: pg.Client, name: string): Promise<Publication | undefined> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot,
       coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_array(t.schemaname, t.tablename))
         FROM pg_catalog.pg_publication_tables t WHERE t.pubname = p.pubname), '[]') AS tables
     FROM pg_catalog.pg_publication p WHERE p.pubname = $1`,
    [name],
  )
  const [row] = rows
  if (!row) return undefined
  const tables = JSON.parse(row.tables as string) as [string, string][]
  return {
    allTables: row.puballtables === 't',
    inserts: row.pubinsert === 't',
    updates: row.pubupdate === 't',
    deletes: row.pubdelete === 't',
    truncates: row.pubtruncate === 't',
    viaRoot: row.pubviaroot === 't',
    tables: tables.map(([namespace, table]) => streamKey({ namespace, name: table })),
  }
}

/** A publication that someone else made must publish what we rely on. */
function refusePartial(publication: Publication, name: string, insertOnly: boolean) {
  const { inserts, updates, deletes, truncates, viaRoot } = publication
  const complete = insertOnly ? inserts : inserts && updates && deletes && truncates
  if (complete && viaRoot) return
  const actions = insertOnly ? 'insert' : 'insert, update, delete, truncate'
  throw setupRequired(`The publication '${name}' leaves changes out.`, {
    hint: `Run ALTER PUBLICATION ${pg.escapeIdentifier(name)} SET (publish = '${actions}', publish_via_partition_root = true); as its owner, or name a publication that does not exist: it is created then.`,
  })
}

function publishingRefused(error: unknown, sql: string): AirbyteError {
  if ((error as { code?: string }).code !== '42501') return mapPostgresError(error)
  return setupRequired(`PostgreSQL: ${(error as Error).message} (42501).`, {
    hint: `Creating a publication needs CREATE on the database and ownership of its tables. Run as the owner: ${sql};`,
    cause: error,
  })
}

const setupRequired = (message: string, details: { hint: string; cause?: unknown }) =>
  new AirbyteError('CDC_SETUP_REQUIRED', message, {
    field: 'config.replication_method.publication',
    ...details,
  })
