import { nearest } from '../core/nearest.ts'
import { AirbyteError, type Cell, parseStreamKey } from '../protocol/index.ts'
import type { ConnectorContext, ObjectStore, StreamPlan, TableReader } from '../runtime/contract.ts'
import { type Meter, runQuery } from '../runtime/query/index.ts'
import type { OperationContext } from './define.ts'
import { runConnector } from './run-connector.ts'

/** Longer texts are cut: an answer is to look at. */
const MAX_TEXT = 500
const PAGE = 100

/** Runs one SELECT over the tables of a destination that has no query engine of its own. */
export async function queryData(
  ctx: OperationContext,
  destinationId: string,
  { sql, limit }: { sql: string; limit: number },
) {
  return runConnector(
    ctx,
    'destination',
    destinationId,
    async ({ connector, context, config, type }) => {
      const { table } = connector
      if (!table) {
        throw new AirbyteError('UNSUPPORTED', `${type} is queried in its own language, not here.`, {
          field: 'destination',
          hint: 'Connect to it with a client of that database, or use a destination of type r2.',
        })
      }
      const answer = await runQuery({
        ...{ sql, signal: context.signal, limits: { rows: limit } },
        open: async (names, meter) => {
          const metered = { ...context, warehouse: meteredStore(context, meter) }
          return openTables(ctx, destinationId, names, (target) => table(metered, config, target))
        },
      })
      const { rows, rounded, ...rest } = answer
      const notes = rounded
        ? [
            'Arithmetic and averages are in double precision, and some of these numbers have more digits. A plain SUM of a column is exact.',
          ]
        : []
      return { ...rest, rows: rows.map((row) => row.map(shown)), rowCount: rows.length, notes }
    },
  )
}

type Open = (target: StreamPlan['target']) => Promise<TableReader | null>

async function openTables(
  ctx: OperationContext,
  destinationId: string,
  names: string[],
  open: Open,
): Promise<Record<string, TableReader>> {
  const tables: Record<string, TableReader> = {}
  let known: string[] | undefined
  for (const name of names) {
    const exact = await open(targetOf(name))
    known = exact ? known : (known ?? (await targetsOf(ctx, destinationId)))
    const same = (known ?? []).filter((target) => target.endsWith(`.${name}`))
    const [only] = same
    const found = exact ?? (same.length === 1 && only ? await open(targetOf(only)) : null)
    if (!found) throw notThere(name, known ?? [], same)
    tables[name] = found
  }
  return tables
}

function targetOf(name: string): StreamPlan['target'] {
  const { namespace, name: table } = parseStreamKey(name)
  return { table, ...(namespace !== undefined && { namespace }) }
}

/** What the workspace's connections write there: `namespace.table`. */
async function targetsOf(ctx: OperationContext, destinationId: string): Promise<string[]> {
  const { items } = await ctx.tenant.list({ kind: 'connection', limit: PAGE })
  const here = items.filter((row) => row.destinationId === destinationId)
  const records = await Promise.all(here.map(({ id }) => ctx.objects.connection(id).get()))
  return records.flatMap(({ streams, namespace: common, prefix = '' }) =>
    streams.map(({ name, namespace: own }) => {
      const namespace = common ?? own
      return namespace === undefined ? `${prefix}${name}` : `${namespace}.${prefix}${name}`
    }),
  )
}

function notThere(name: string, known: string[], same: string[]): AirbyteError {
  const several = same.length > 1
  const didYouMean = several ? same : nearest(name, known)
  const list = known.slice(0, 20).join(', ') || 'none yet; run a sync first'
  const message = several
    ? `Several namespaces have a table '${name}'.`
    : `There is no table '${name}' with rows. Tables: ${list}.`
  const hint = 'Write a table of a namespace in double quotes, such as "public.orders".'
  return new AirbyteError('QUERY_INVALID', message, { field: 'sql', didYouMean, hint })
}

/** The warehouse, with every byte that is read of it counted. */
function meteredStore(
  { warehouse }: ConnectorContext,
  meter: () => Meter,
): ObjectStore | undefined {
  if (!warehouse) return undefined
  return {
    ...storeMethods(warehouse),
    async get(key, range) {
      if (range) meter().read(range.length)
      const found = await warehouse.get(key, range)
      if (found && !range) meter().read(found.size)
      return found
    },
  }
}

const storeMethods = (store: ObjectStore): ObjectStore => ({
  get: (key, range) => store.get(key, range),
  head: (key) => store.head(key),
  put: (key, body, onlyIf) => store.put(key, body, onlyIf),
  putStream: (key, body) => store.putStream(key, body),
  delete: (keys) => store.delete(keys),
  list: (prefix, cursor) => store.list(prefix, cursor),
})

/** JSON cannot hold a bigint; a cut text says that it was cut. */
export function shown(cell: Cell): string | number | boolean | null {
  if (typeof cell === 'bigint') return cell.toString()
  if (typeof cell === 'number' && !Number.isFinite(cell)) return String(cell)
  return typeof cell === 'string' && cell.length > MAX_TEXT ? `${cell.slice(0, MAX_TEXT)}…` : cell
}
