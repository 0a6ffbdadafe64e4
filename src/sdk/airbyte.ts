import { AirbyteError } from './error.ts'
import { type Call, createTransport } from './transport.ts'
import type {
  AirbyteOptions,
  Client,
  DoneOptions,
  InputOf,
  OperationId,
  OutputOf,
  StartedSync,
  StartsSync,
  Subjects,
  Sync,
} from './types.ts'

const SUBJECTS: Record<string, string> = {
  sources: 'source',
  destinations: 'destination',
  connections: 'connection',
  syncs: 'sync',
  connectors: 'connector',
  resources: 'id',
  setups: 'setupId',
} satisfies Subjects

const STARTS_SYNC = new Set<string>([
  'connections.sync',
  'connections.backfill',
  'syncs.replay',
] satisfies StartsSync[])

/**
 * The client: every operation is a method. Runs in browsers, Node and Workers.
 *
 * @example
 * const airbyte = new Airbyte({ url: 'https://airbyte.do', token: env.AIRBYTE_TOKEN })
 * const sync = await airbyte.connections.sync('orders-to-lake')
 * const { rows } = await sync.done({ onProgress: ({ rows }) => console.log(rows) })
 */
export class Airbyte {
  readonly workspace: Client['workspace']
  readonly catalog: Client['catalog']
  readonly connectors: Client['connectors']
  readonly resources: Client['resources']
  readonly setups: Client['setups']
  readonly keys: Client['keys']
  readonly members: Client['members']
  readonly webhooks: Client['webhooks']
  readonly sources: Client['sources']
  readonly destinations: Client['destinations']
  readonly connections: Client['connections']
  readonly syncs: Client['syncs']
  readonly #call: Call

  constructor(options: AirbyteOptions) {
    this.#call = createTransport(options)
    const client = node(this.#call, []) as Client
    this.workspace = client.workspace
    this.catalog = client.catalog
    this.connectors = client.connectors
    this.resources = client.resources
    this.setups = client.setups
    this.keys = client.keys
    this.members = client.members
    this.webhooks = client.webhooks
    this.sources = client.sources
    this.destinations = client.destinations
    this.connections = client.connections
    this.syncs = client.syncs
  }

  /** Any operation by its id, with its whole input. */
  call<Id extends OperationId>(id: Id, input: InputOf<Id>): Promise<OutputOf<Id>> {
    return this.#call(id, input as object) as Promise<OutputOf<Id>>
  }
}

/** `client.a.b(…)` calls the operation `a.b`; a proxy, so that the bundle holds no list of them. */
function node(call: Call, path: string[]): unknown {
  return new Proxy(() => {}, {
    // A promise would be mistaken for one of ours: `await client.sources` must not call `then`.
    get: (_, name) =>
      typeof name === 'symbol' || name === 'then' ? undefined : node(call, [...path, name]),
    apply: (_, __, args: unknown[]) => invoke(call, path, args),
  })
}

async function invoke(call: Call, path: string[], args: unknown[]): Promise<unknown> {
  const id = path.join('.')
  const answer = await call(id, inputOf(path, args))
  return STARTS_SYNC.has(id) ? startedSync(call, answer as Sync) : answer
}

function inputOf([group = '']: string[], [first, rest]: unknown[]): object {
  if (typeof first === 'object' && first !== null) return first
  const subject = SUBJECTS[group]
  if (first === undefined || subject === undefined) return {}
  return { ...(rest as object | undefined), [subject]: first }
}

function startedSync(call: Call, sync: Sync): StartedSync {
  const done = (options: DoneOptions = {}) => waitForEnd(call, sync.syncId, options)
  return Object.assign(sync as OutputOf<'connections.sync'>, { done })
}

async function waitForEnd(call: Call, syncId: number, options: DoneOptions): Promise<Sync> {
  const { onProgress, signal } = options
  for (let delay = 250; ; delay = Math.min(delay * 1.5, 2000)) {
    const sync = (await call('syncs.get', { sync: syncId }, signal)) as Sync
    onProgress?.(sync)
    if (sync.finished) return succeeded(sync)
    await new Promise((resolve) => setTimeout(resolve, delay))
    signal?.throwIfAborted()
  }
}

function succeeded(sync: Sync): Sync {
  if (sync.status === 'succeeded') return sync
  const { code, message, ...fields } = sync.error ?? fallback(sync)
  throw new AirbyteError(code as AirbyteError['code'], `Sync ${sync.syncId}: ${message}`, fields)
}

const fallback = ({ status, syncId }: Sync) =>
  status === 'cancelled'
    ? { code: 'CANCELLED', message: 'it was cancelled.', hint: 'Start it again when ready.' }
    : {
        code: 'STREAM_INCOMPLETE',
        message: `it ended as ${status}.`,
        hint: `See the streams of syncs.get(${syncId}).`,
      }
