import { expect, it } from 'vitest'
import type { SyncStatus, SyncSummary, Warning } from '../../src/durable-object/rpc.ts'
import { eventsOfSync, lateEvent } from '../../src/notifications/events.ts'

const connection = { id: 'c1', name: 'orders' }
const summary = (status: SyncStatus, code?: string): SyncSummary => ({
  ...{ syncId: 7, connectionId: 'c1', status, startedAt: 0, updatedAt: 1, endedAt: 1000 },
  ...{ rows: 5, bytes: 10, warnings: 0 },
  ...(code && { error: { code, kind: 'config', message: 'No.', hint: 'Do.' } as never }),
})
const warned = (...codes: Warning['code'][]) => ({
  warnings: codes.map((code) => ({ code, message: code })),
})

it.each<[SyncStatus, string | undefined, Warning['code'][], SyncStatus | undefined, string[]]>([
  ['succeeded', undefined, [], undefined, ['sync.succeeded']],
  ['succeeded', undefined, [], 'succeeded', ['sync.succeeded']],
  ['succeeded', undefined, [], 'failed', ['sync.succeeded', 'sync.recovered']],
  ['succeeded', undefined, [], 'incomplete', ['sync.succeeded', 'sync.recovered']],
  ['succeeded', undefined, [], 'cancelled', ['sync.succeeded']],
  ['failed', 'AUTH_FAILED', [], 'failed', ['sync.failed']],
  ['incomplete', undefined, ['REJECTS'], undefined, ['sync.failed', 'rows.rejected']],
  ['failed', 'SCHEMA_CHANGED', [], undefined, ['sync.failed', 'schema.changed']],
  ['succeeded', undefined, ['SCHEMA_CHANGED'], undefined, ['sync.succeeded', 'schema.changed']],
  ['succeeded', undefined, ['LOG_RETAINED'], undefined, ['sync.succeeded', 'log.retained']],
  ['cancelled', undefined, [], 'failed', []],
])(
  'a sync that %s (%s, %j) after one that %s is news of %j',
  (status, code, codes, before, types) => {
    const events = eventsOfSync(connection, summary(status, code), warned(...codes), before)
    expect(events.map(({ type }) => type)).toEqual(types)
  },
)

it('gives the same thing the same id, and different ones different ids', () => {
  const idsOf = (syncId: number) =>
    eventsOfSync(connection, { ...summary('succeeded'), syncId }, warned(), 'failed').map(
      ({ id }) => id,
    )
  expect(idsOf(7)).toEqual(idsOf(7))
  expect(new Set([...idsOf(7), ...idsOf(8)]).size).toBe(4)
  expect(lateEvent(connection, 5).id).not.toBe(lateEvent(connection, 6).id)
})
