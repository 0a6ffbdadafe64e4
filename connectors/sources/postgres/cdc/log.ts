import type pg from 'pg'
import {
  checkServer,
  checkTables,
  dropPublication,
  dropSlot,
  ensurePublication,
  ensureSlot,
  type FollowedTable,
  guardPublications,
  guardSlot,
  nameOf,
  otherOwners,
  type PublishedTable,
  partitionsOf,
  partitionWarnings,
  positionFromJson,
  positionToJson,
  printLsn,
  seenPartitions,
  TypeVersions,
  tableIncarnations,
  waitForOpenTransactions,
} from '../../../../src/cdc/postgres/index.ts'
import {
  AirbyteError,
  type JsonObject,
  type StreamKey,
  streamKey,
  toAirbyteError,
} from '../../../../src/protocol/index.ts'
import type {
  LogPlace,
  LogStream,
  PreparedLog,
  SourceLog,
} from '../../../../src/runtime/source-log.ts'
import { parseConfig } from '../config.ts'
import {
  AFTER_LOADING,
  type CdcConfig,
  cdcOf,
  DEFAULT_WAITING_SECONDS,
  namesOf,
  readerName,
} from './config.ts'
import { openFeed } from './feed.ts'
import { type Followed, failure, goOn } from './go-on.ts'
import { type Chosen, chooseTold } from './own-types.ts'
import { type Setup, setupOf, withClient } from './setup.ts'

/** The log of a PostgreSQL server: one slot, one publication, and one for tables without updates. */
export const postgresLog: SourceLog = {
  isUsed: (config) => cdcOf(parseConfig(config)) !== undefined,

  acknowledgesLoaded: (config) =>
    cdcOf(parseConfig(config))?.lsn_commit_behaviour === AFTER_LOADING,

  async prepare(ctx, json, streams, options) {
    const config = parseConfig(json)
    const cdc = cdcOf(config)
    if (!cdc) throw new AirbyteError('INTERNAL', 'A log was asked for that is not used.')
    return withClient(ctx, config, async (client) => {
      await checkServer(client)
      const names = namesOf(cdc, options.name)
      const usable = await choose(client, cdc, streams)
      const kept = await guarded(client, names, options)
      const types = new TypeVersions(kept ? setupOf(kept).types : {})
      const told = await chooseTold(client, usable.chosen, types)
      const tables = told.chosen.map(({ table }) => table)
      const followed = await goOn(client, kept, streams, { tables, unfit: usable.unfit })
      const named = { ...names, types: types.toJSON() }
      const { failed, ...prepared } = await setUp(client, cdc, named, followed, {
        kept,
        last: options.kept,
      })
      return {
        ...prepared,
        failed: [...usable.failed, ...told.failed, ...followed.failed, ...failed],
      }
    })
  },

  open: (ctx, config, place, streams) => openFeed(ctx, parseConfig(config), place, streams),

  async status(ctx, config, place) {
    const { slot } = setupOf(place)
    const position = positionFromJson(place.position)
    return withClient(ctx, parseConfig(config), async (client) => {
      const { confirmed, retainedBytes, safeBytes } = await guardSlot(client, slot, position)
      return {
        name: slot,
        position: printLsn(confirmed ?? position.confirmed),
        retainedBytes,
        ...(safeBytes === undefined ? {} : { safeBytes }),
      }
    })
  },

  async drop(ctx, config, place) {
    const { slot, publication, madeSlot, madePublication } = setupOf(place)
    await withClient(ctx, parseConfig(config), async (client) => {
      if (madeSlot) await dropSlot(client, slot)
      if (madePublication) await dropPublication(client, publication)
    })
  },
}

/** The tables of the streams that can be captured as they are. */
async function choose(client: pg.Client, cdc: CdcConfig, streams: LogStream[]) {
  const chosen: Chosen[] = []
  const failed: PreparedLog['failed'] = []
  /** Of which the log does not tell every change as they are now. */
  const unfit = new Set<StreamKey>()
  const insertOnly = new Set(cdc.insert_only_tables)
  const wanted = streams.map((stream) => tableOf(insertOnly, stream))
  const problems = await checkTables(client, wanted)
  for (const [i, stream] of streams.entries()) {
    const table = wanted[i] as PublishedTable
    const problem = problems[i]
    if (problem?.code === 'CDC_TABLE_UNSUITABLE') unfit.add(nameOf(table))
    if (problem) failed.push(failure(problem, streamKey(stream.stream)))
    else chosen.push({ stream, table })
  }
  return { chosen, failed, unfit }
}

function tableOf(insertOnly: ReadonlySet<string>, stream: LogStream) {
  const { name, namespace: schema = 'public' } = stream.stream
  const { selectedFields, columns, primaryKey } = stream
  const wanted = columns.map((column) => column.name)
  return {
    ...{ schema, name, key: primaryKey },
    columns: selectedFields ? wanted.filter((column) => selectedFields.includes(column)) : wanted,
    insertOnly: insertOnly.has(`${schema}.${name}`),
  }
}

type PrepareOptions = Parameters<SourceLog['prepare']>[3]

/** What is kept, if the log still has everything after it; a log that all streams leave may be lost. */
async function guarded(
  client: pg.Client,
  names: { slot: string; publication: string },
  { kept, mayBeginAnew }: PrepareOptions,
): Promise<LogPlace | null> {
  if (!kept) return null
  const setup = setupOf(kept)
  try {
    if (setup.slot !== names.slot || setup.publication !== names.publication) {
      throw new AirbyteError('CDC_POSITION_LOST', 'The config names another slot or publication.', {
        field: 'config.replication_method',
        hint: `Name '${setup.slot}' and '${setup.publication}' again, or refresh the streams.`,
      })
    }
    const position = positionFromJson(kept.position)
    await guardSlot(client, setup.slot, position, readerName(setup.slot))
    await guardPublications(client, setup.incarnations)
    return kept
  } catch (error) {
    if (toAirbyteError(error).code !== 'CDC_POSITION_LOST' || !mayBeginAnew) throw error
    if (setup.madeSlot) await dropSlot(client, setup.slot)
    return null
  }
}

/** Publication first, then the slot: so the log has every change of every table from the slot on. */
async function setUp(
  client: pg.Client,
  cdc: CdcConfig,
  names: Pick<Setup, 'slot' | 'publication' | 'types'>,
  { tables, left }: Followed,
  { kept, last }: { kept: LogPlace | null; last: LogPlace | null },
): Promise<PreparedLog> {
  const before = kept && setupOf(kept)
  const existed = await publicationExists(client, names.publication)
  const { publications, incarnations, failed } = await ensurePublication(
    client,
    names.publication,
    tables,
  )
  const slot = kept ? null : await ensureSlot(client, names.slot)
  const now = await tableIncarnations(client, publications, tables)
  const partitions = await partitionsOf(client, tables)
  const known = new Map(before?.tables.map((table) => [nameOf(table), table]))
  // Not only what we published: someone else's publication may have it since a moment ago.
  const isNew = (table: PublishedTable) => {
    const seen = known.get(nameOf(table))
    return !seen || (seen.incarnation ?? now.get(nameOf(table))) !== now.get(nameOf(table))
  }
  if (!slot?.created && tables.some(isNew)) {
    const seconds = cdc.initial_waiting_seconds ?? DEFAULT_WAITING_SECONDS
    await waitForOpenTransactions(client, seconds * 1000)
  }
  const setup: Setup = {
    ...names,
    publications: [...new Set([...(before?.publications ?? []), ...publications])],
    incarnations: { ...before?.incarnations, ...incarnations },
    tables: [
      ...tables.map((table) => {
        const name = nameOf(table)
        return asFollowed(table, now.get(name), known.get(name), partitions)
      }),
      ...left,
    ],
    madeSlot: before?.madeSlot ?? slot?.created ?? false,
    madePublication: before?.madePublication ?? (!existed || isStillOurs(last, incarnations)),
  }
  const warnings = otherOwners(before?.incarnations ?? {}, incarnations)
  for (const table of tables) {
    const seen = known.get(nameOf(table))
    const parts = partitions.get(nameOf(table)) ?? new Map()
    if (seen && !isNew(table)) warnings.push(...(await partitionWarnings(client, seen, parts)))
  }
  const position = kept?.position ?? positionToJson((slot as NonNullable<typeof slot>).position)
  return {
    place: { position, setup: JSON.parse(JSON.stringify(setup)) as JsonObject },
    continues: kept !== null,
    warnings,
    failed: failed.map((error) => failure(error, error.stream as StreamKey)),
  }
}

/** Whether the publication is one that was made for the log that was lost. */
function isStillOurs(last: LogPlace | null, now: Setup['incarnations']): boolean {
  const { madePublication = false, incarnations = {} } = last ? setupOf(last) : {}
  const oidOf = (incarnation: string | undefined) => incarnation?.split('/')[0]
  const isSame = ([name, incarnation]: [string, string]) =>
    oidOf(incarnations[name]) === oidOf(incarnation)
  return madePublication && Object.entries(now).every(isSame)
}

function asFollowed(
  table: PublishedTable,
  incarnation: string | undefined,
  before: FollowedTable | undefined,
  partitions: Awaited<ReturnType<typeof partitionsOf>>,
): FollowedTable {
  const parts = partitions.get(nameOf(table))
  return {
    ...table,
    ...(incarnation === undefined ? {} : { incarnation }),
    ...(parts && seenPartitions(parts, before)),
  }
}

async function publicationExists(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query('SELECT FROM pg_catalog.pg_publication WHERE pubname = $1', [
    name,
  ])
  return rows.length > 0
}
