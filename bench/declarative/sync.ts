import type { TaskHost } from '../../src/core/sync-engine/host.ts'
import { planStream } from '../../src/core/sync-engine/plan-stream.ts'
import { runTask } from '../../src/core/sync-engine/run-task.ts'
import {
  DEFAULT_LIMITS,
  type StagedChunk,
  type StreamClaim,
  type SyncControl,
  type SyncInput,
  type SyncStreamInput,
} from '../../src/core/sync-engine/types.ts'
import { createNodeContext } from '../../src/egress/node-context.ts'
import { type AirbyteStream, fromRecord, type JsonObject } from '../../src/protocol/index.ts'
import type { Destination, ObjectStore, Source } from '../../src/runtime/contract.ts'

interface Sync {
  source: Source
  stream: AirbyteStream
  config: JsonObject
  destination: Destination
  /** Plays both buckets. */
  store: ObjectStore
}

/** A full refresh by the sync engine's own slices, with the sync's object in memory. */
export async function syncInNode(sync: Sync): Promise<{ rows: number; transfer: string }> {
  const control = new MemoryControl(sync)
  const host = hostOf(sync, control)
  for (const task of ['read', 'load', 'finish'] as const) {
    if (task === 'load' && control.stream.transfer === 'direct') continue
    control.task = task
    while (!control.isDone(task)) await runTask(host, task)
  }
  return { rows: control.rows, transfer: control.stream.transfer }
}

function hostOf({ source, config, destination, store }: Sync, control: SyncControl): TaskHost {
  return {
    sync: control,
    staging: store,
    openSource: async () => ({ connector: source, config }),
    openDestination: async () => ({ connector: destination, config: {} }),
    context: ({ signal, budget, log }) => ({
      ...createNodeContext({ signal, log, warehouse: store, keepsConnections: true }),
      budget,
    }),
    scrub: (text) => text,
    // The bench reads from nothing: there are none to begin with.
    partitions: async () => [],
    now: () => Date.now(),
  }
}

/** What a sync's object answers, for one stream. */
class MemoryControl implements SyncControl {
  task: 'read' | 'load' | 'finish' = 'read'
  rows = 0
  readonly stream: StreamClaim['stream']
  readonly #input: SyncInput
  readonly #done = new Set<string>()
  readonly #staged: StagedChunk[] = []
  #state: StreamClaim['state'] = null
  #first = true
  #claims = 0

  constructor({ source, stream, destination }: Sync) {
    this.#input = INPUT
    this.stream = planStream(this.#input, streamInputOf(stream), stream, {
      ...{ source: source.capabilities, destination: destination.capabilities },
    })
  }

  isDone = (task: string) => this.#done.has(task)

  async claim(taskId: string): Promise<StreamClaim> {
    return {
      ...{ v: 1, kind: this.task, taskId, fence: ++this.#claims, leaseMs: 60_000, attempts: 0 },
      ...{ input: this.#input, stream: this.stream, state: this.#state, first: this.#first },
      ...{ lastChunk: null, rowsInGeneration: this.rows, hasPartitions: false, hasDeltas: false },
    }
  }

  async staged(_task: string, _fence: number, chunk: StagedChunk) {
    this.#staged.push(chunk)
    this.#state = chunk.end.state
    this.#first = false
  }

  partitions = async () => ({ deltas: [] })

  nextStaged = async () => this.#staged[0] ?? null

  async loaded(
    _task: string,
    _fence: number,
    { rows, end }: { rows: number; end: { state: JsonObject } },
  ) {
    this.rows += rows
    if (this.#staged.shift() === undefined) this.#state = end.state
    this.#first = false
  }

  async advanced(_task: string, _fence: number, { state }: { state: JsonObject }) {
    this.#state = state
  }

  async done(task: string) {
    this.#done.add(task)
    return null
  }

  async fail(_task: string, _fence: number, error: Parameters<typeof fromRecord>[0]) {
    throw fromRecord(error)
  }

  toPlan = async () => ({ streams: [] })
  heartbeat = async () => ({ cancelled: false })
  planned = nothing
  resumed = nothing
  wait = nothing
  release = nothing
  log = nothing
  estimate = nothing
}

async function nothing(): Promise<void> {}

const INPUT: SyncInput = {
  ...{ v: 1, tenantId: 'bench', connectionId: 'bench', connectionName: 'bench', syncId: 1 },
  ...{ trigger: 'manual', source: { id: 's', type: 's' }, destination: { id: 'd', type: 'd' } },
  ...{ normalization: 'basic', transfer: 'auto', schemaChanges: 'propagate_columns' },
  ...{ maxRejects: 0, acceptEmpty: false, limits: DEFAULT_LIMITS },
}

const streamInputOf = ({ name }: AirbyteStream): SyncStreamInput => ({
  config: { name, syncMode: 'full_refresh', destinationSyncMode: 'overwrite' },
  ...{ state: null, generationId: 1, minimumGenerationId: 1, generationRows: 0 },
  ...{ generationHash: '', knownColumns: [], previousRows: 0, quietAfter: null },
  ...{ lastChunk: null, hasPartitions: false },
})
