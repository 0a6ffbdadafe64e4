/** Wake-ups: a sync's object sends them, a queue consumer answers by running one slice. */

import { armFaultPoint, type FaultPoint } from '../core/fault-points.ts'
import { targetKey } from '../core/sync-engine/connection-tables.ts'
import type { TaskHost } from '../core/sync-engine/host.ts'
import { runTask } from '../core/sync-engine/run-task.ts'
import type { Claim, Lane, PartitionPage, TaskMessage } from '../core/sync-engine/types.ts'
import { withLimits } from '../core/sync-engine/with-limits.ts'
import { type PartitionDelta, streamKey } from '../protocol/index.ts'
import { createScrubber } from '../vault/index.ts'
import {
  connectionStub,
  connectorContext,
  destinationRegistry,
  destinationStub,
  sourceOf,
  sourceStub,
  stagingStore,
  syncStub,
} from './platform.ts'
import { sourceOwner } from './source-owner.ts'
import { stagedChanges } from './staged-changes.ts'

const SHARDS = 4

/** `read` carries plan and read tasks, `load` carries load and finish tasks. */
export interface Shard {
  lane: Lane
  /** Any number; shards are taken modulo their count. */
  number: number
}

export interface WakeUp {
  message: TaskMessage
  shard: Shard
}

/** At most as many as a queue takes at once: one call for each queue, not for each message. */
export async function sendWakeUps(env: Env, wakeUps: WakeUp[]): Promise<void> {
  const byQueue = Map.groupBy(wakeUps, ({ shard }) => queueOf(env, shard))
  for (const [queue, group] of byQueue)
    await queue.sendBatch(group.map(({ message }) => ({ body: message })))
}

function queueOf(env: Env, { lane, number }: Shard): Queue {
  const read = [env.READ_0, env.READ_1, env.READ_2, env.READ_3]
  const load = [env.LOAD_0, env.LOAD_1, env.LOAD_2, env.LOAD_3]
  return (lane === 'read' ? read : load)[number % SHARDS] as Queue
}

/**
 * The queue consumer. A slice reports to its sync's object, never to the queue: however it ends, the
 * message is acknowledged, because the object sends a new one when there is more to do. Only where the
 * object cannot be reached is it the queue that tries again.
 */
export async function handleQueue(batch: MessageBatch, env: Env): Promise<void> {
  armFromEnv(env)
  for (const message of batch.messages) {
    if (batch.queue.endsWith('-dead')) {
      console.error('a wake-up died', JSON.stringify(message.body))
    } else {
      const { tenantId, syncId, taskId } = message.body as TaskMessage
      await runTask(taskHost(env, tenantId, syncId), taskId)
    }
    message.ack()
  }
}

/** The host of a slice in a Worker. */
export function taskHost(env: Env, tenantId: string, syncId: number): TaskHost {
  const secrets = new Set<string>()
  let edition = 0
  const sync = syncStub(env, tenantId, syncId)
  const open = async (stub: ReturnType<typeof sourceStub> | ReturnType<typeof destinationStub>) => {
    const opened = await stub.open()
    for (const text of opened.secrets) secrets.add(text)
    return opened
  }
  return {
    sync,
    staging: stagingStore(env, tenantId),
    async openSource({ input: { source } }: Claim) {
      const opened = await open(sourceStub(env, tenantId, source.id))
      edition = opened.edition
      return { connector: await sourceOf(env, tenantId, source), config: opened.config }
    },
    async openDestination({ input: { destination } }: Claim) {
      const opened = await open(destinationStub(env, tenantId, destination.id))
      const { type, config } = opened
      return {
        connector: withLimits(destinationRegistry.get(type), config),
        config,
        edition: opened.edition,
      }
    },
    context({ claim, ...options }) {
      const { id } = claim.input.source
      const remember = (secret: string) => secrets.add(secret)
      const owner = sourceOwner(env, tenantId, { id, edition: () => edition, remember })
      const { connectionId } = claim.input
      const changes = stagedChanges(env, { tenantId, sourceId: id, connectionId })
      return connectorContext(env, tenantId, { ...options, owner, changes })
    },
    scrub: (text) => createScrubber(secrets)(text),
    async partitions(claim) {
      // The sync's first: what it gives to the connection meanwhile must not be missed.
      const ofSync: PartitionDelta[] = []
      for (let after: number | undefined = 0; after !== undefined; ) {
        const page: PartitionPage = await sync.partitions(claim.taskId, claim.fence, after)
        ofSync.push(...page.deltas)
        after = page.next
      }
      const committed: PartitionDelta[] = []
      const connection = connectionStub(env, tenantId, claim.input.connectionId)
      for (let after: string | undefined, more = claim.hasPartitions; more; ) {
        const page = await connection.partitions(claim.stream.key, after)
        committed.push(page.delta)
        after = page.next
        more = after !== undefined
      }
      return [...committed, ...ofSync]
    },
    async addStreams({ input: { connectionId } }, found) {
      const connection = connectionStub(env, tenantId, connectionId)
      const unseen = new Set(await connection.sawStreams(syncId, found.map(streamKey)))
      if (unseen.size === 0) return { streams: [], warnings: [] }
      const streams = found.filter((stream) => unseen.has(streamKey(stream)))
      return connection.addStreams(syncId, streams)
    },
    async claimTables({ input }, tables) {
      const { namespaces } = destinationRegistry.get(input.destination.type).capabilities
      const stub = destinationStub(env, tenantId, input.destination.id)
      const targets = tables.map((table) => targetKey(input, table, namespaces))
      await stub.addTables(input.connectionId, input.connectionName, targets)
    },
    now: () => Date.now(),
  }
}

/** Local tests name a gap at which the process waits to be killed. */
function armFromEnv(env: Env): void {
  const wanted = (env as { FAULT_POINT?: string }).FAULT_POINT
  if (!wanted || env.LOCAL_MODE !== 'on' || armedFor === wanted) return
  armedFor = wanted
  const [point, hit] = wanted.split('@')
  armFaultPoint(point as FaultPoint, Number(hit ?? 1), () => {
    console.log(`fault point reached: ${point}`)
    return new Promise(() => {})
  })
}
let armedFor: string | undefined
