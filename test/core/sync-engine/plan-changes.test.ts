import { expect, it } from 'vitest'
import { planStream } from '../../../src/core/sync-engine/plan-stream.ts'
import type { SyncInput, SyncStreamInput } from '../../../src/core/sync-engine/types.ts'
import type { DestinationSyncMode } from '../../../src/protocol/index.ts'

function keeps(
  destinationSyncMode: DestinationSyncMode,
  keepsUnchanged: boolean | 'same key',
  normalization: SyncInput['normalization'] = 'basic',
) {
  const input = { connectionId: 'c1', syncId: 1, normalization, transfer: 'auto' } as SyncInput
  const stream = {
    config: { name: 't', syncMode: 'incremental', destinationSyncMode },
    knownColumns: [] as unknown[],
  } as SyncStreamInput
  const found = {
    name: 't',
    json_schema: { properties: { id: { type: 'integer' } } },
    supported_sync_modes: ['incremental' as const],
    source_defined_cursor: true,
    source_defined_primary_key: [['id']],
  }
  return planStream(input, stream, found, {
    source: { formats: [], rereadable: true },
    destination: {
      ...{ modes: [destinationSyncMode], formats: [], ledger: true, transfer: 'direct' },
      ...{ verify: [], namespaces: false, keepsUnchanged },
      limits: { nulInText: true, nonFinite: true, years: [1, 9999] },
    },
  }).configured.keepsUnchanged
}

it('a destination that deduplicates gets unchanged values as such only if it can keep them', () => {
  expect(keeps('append_dedup', true)).toBe(true)
  expect(keeps('append_dedup', 'same key')).toBe(true)
  expect(keeps('append_dedup', false)).toBeUndefined()
  expect(keeps('append_dedup', true, 'raw')).toBeUndefined()
})

it('a change log has unchanged values as such', () => {
  expect(keeps('append', false)).toBe(true)
})
