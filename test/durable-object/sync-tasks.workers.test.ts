import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { fenceOf } from '../../src/core/sync-engine/identity.ts'
import { DEFAULT_LIMITS, type SyncInput } from '../../src/core/sync-engine/types.ts'
import { SyncStore } from '../../src/durable-object/sync-store.ts'
import { SyncTasks } from '../../src/durable-object/sync-tasks.ts'
import { AirbyteError } from '../../src/protocol/index.ts'
import { stream } from './harness.ts'

const SYNC = 7
const NAMES = Array.from({ length: 100 }, (_, i) => `t${i}`)

const input: SyncInput = {
  ...{ v: 1, tenantId: 'local', connectionId: 'c', connectionName: 'c', syncId: SYNC },
  ...{ trigger: 'manual', source: { id: 's', type: 's' }, destination: { id: 'd', type: 'd' } },
  ...{ normalization: 'basic', transfer: 'auto', schemaChanges: 'propagate_columns' },
  ...{ maxRejects: 0, acceptEmpty: false, limits: DEFAULT_LIMITS },
}

/** A sync of a hundred streams that are all ready to be read, at a time of its own. */
const inSync = (name: string, work: (sync: Opened) => void) =>
  runInDurableObject(env.SYNC.getByName(`local:${name}`), (_, { storage }) => {
    const clock = { now: 1_000_000 }
    const store = new SyncStore(storage)
    const tasks = new SyncTasks(store, 15_000, () => clock.now)
    const times = { startedAt: 0, updatedAt: 0 }
    store.saveSync({
      input,
      status: 'running',
      ...times,
      cancelled: false,
      claims: 0,
      reported: false,
    })
    for (const [ord, name] of NAMES.entries()) {
      store.addStream(name, ord, {
        config: stream({ name }),
        ...{ state: null, hasPartitions: false, lastChunk: null },
        ...{ generationId: 1, minimumGenerationId: 1, generationRows: 0, generationHash: '' },
        ...{ knownColumns: [], previousRows: 0, quietAfter: null },
      })
      tasks.wake('read', name)
    }
    const sent = () => {
      tasks.dispatch()
      const posted = store.tasks.outbox(1000).map(({ id }) => id)
      for (const id of posted) store.tasks.unpost(id)
      return posted
    }
    work({ store, tasks, sent, clock })
  })

interface Opened {
  store: SyncStore
  tasks: SyncTasks
  clock: { now: number }
  /** Wake-ups that are sent now. */
  sent(): string[]
}

const reads = (from: number, to: number) => NAMES.slice(from, to).map((name) => `read:${name}`)

it('wakes readers of a sync as they answer, until 32 are at work', () =>
  inSync('window', ({ store, tasks, sent }) => {
    expect(sent()).toEqual(reads(0, 12))
    expect(sent()).toEqual([])
    // What is being read is no reason not to load.
    tasks.wake('load', 't0')
    expect(sent()).toEqual(['load:t0'])
    const claimed = (ids: string[]) => {
      for (const id of ids) store.tasks.update(id, { status: 'claimed', fence: 1 })
    }
    claimed(reads(0, 12))
    expect(sent()).toEqual(reads(12, 24))
    claimed(reads(12, 24))
    expect(sent()).toEqual(reads(24, 32))
    claimed(reads(24, 32))
    expect(sent()).toEqual([])
    for (const id of ['read:t5', 'read:t6']) store.tasks.update(id, { status: 'done' })
    expect(sent()).toEqual(reads(32, 34))
  }))

it('hands who has done a task the next one of its lane, those with a wake-up last', () =>
  inSync('next', ({ store, tasks, sent }) => {
    sent()
    const next = () => tasks.nextOf('read', 't0')
    for (const id of reads(0, 32)) store.tasks.update(id, { status: 'done' })
    expect(next()?.id).toBe('read:t32')
    // Making a stream visible comes before reading another; what waits for its moment does not come.
    tasks.wake('finish', 't0')
    tasks.wake('load', 't1')
    store.tasks.update('read:t33', { not_before: 2_000_000 })
    expect(next()?.id).toBe('finish:t0')
    store.tasks.update('finish:t0', { status: 'claimed' })
    store.tasks.update('read:t32', { status: 'claimed' })
    expect(next()?.id).toBe('read:t34')
    expect(tasks.nextOf('load', 't1')?.id).toBe('load:t1')
    for (const id of reads(35, 100)) store.tasks.update(id, { status: 'done' })
    expect(sent()).toEqual(['read:t34', 'load:t1'])
    expect(next()?.id).toBe('read:t34')
    store.tasks.update('read:t34', { status: 'claimed' })
    expect(next()).toBeUndefined()
  }))

it('lets a stream that had its turn go on after those that had none', () =>
  inSync('turns', ({ store, tasks, sent, clock }) => {
    sent()
    for (const id of reads(0, 32)) store.tasks.update(id, { status: 'claimed', fence: 1 })
    const first = store.tasks.get('read:t0')
    if (first) tasks.release(first, undefined)
    expect(sent()).toEqual(['read:t32'])
    for (const id of reads(1, 100)) store.tasks.update(id, { status: 'done' })
    clock.now += 1
    expect(sent()).toEqual(['read:t0'])
  }))

it('sends again only what was sent and not answered', () =>
  inSync('stale', ({ store, tasks, sent, clock }) => {
    sent()
    store.tasks.update('read:t0', { status: 'claimed', fence: 1, lease_until: clock.now + 90_000 })
    clock.now += 31_000
    tasks.sweep(30_000)
    expect(sent()).toEqual(reads(1, 13))
    tasks.sweep(30_000)
    expect(sent()).toEqual([])
  }))

it('wakes nobody for a task that waits, until its moment', () =>
  inSync('waits', ({ store, tasks, sent, clock }) => {
    sent()
    const [id = ''] = reads(0, 1)
    store.tasks.update(id, { status: 'claimed', fence: fenceOf(SYNC, 1) })
    const error = new AirbyteError('CONNECTION_LOST', 'Gone.').toJSON()
    const task = store.tasks.get(id)
    if (task) tasks.fail(task, error)
    expect(sent()).toEqual(reads(12, 13))
    expect(tasks.nextDue(60_000)).toBe(clock.now + 2000)
    clock.now += 2000
    for (const other of reads(1, 100)) store.tasks.update(other, { status: 'done' })
    expect(sent()).toEqual([id])
  }))

it('shows of more streams than fit those that went wrong, are at work or had rows', () =>
  inSync('shown', ({ store, tasks }) => {
    store.updateStream('t90', { rowsRead: 5, status: 'succeeded' })
    store.updateStream('t80', { status: 'running' })
    tasks.failStream('t70', new AirbyteError('TIMEOUT', 'Too late.').toJSON())
    const shown = (limit: number) => store.streamsToShow(limit).map(({ key }) => key)
    expect(shown(4)).toEqual(['t70', 't80', 't90', 't0'])
    expect(shown(100)).toEqual(NAMES)
    expect(store.streamCounts()).toEqual({ pending: 97, running: 1, succeeded: 1, failed: 1 })
  }))
