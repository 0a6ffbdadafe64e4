import { expect, it } from 'vitest'
import { planStream } from '../../../src/core/sync-engine/plan-stream.ts'
import type { SyncInput, SyncStreamInput } from '../../../src/core/sync-engine/types.ts'
import { DEFAULT_LIMITS } from '../../../src/core/sync-engine/types.ts'
import type { AirbyteStream } from '../../../src/protocol/index.ts'

const attachments: AirbyteStream = {
  ...{ name: 'attachments', supported_sync_modes: ['full_refresh'], is_file_based: true },
  json_schema: { type: 'object', properties: { id: { type: 'integer' } } },
}

const input: SyncInput = {
  ...{ v: 1, tenantId: 't', connectionId: 'c1', connectionName: 'c', syncId: 7, trigger: 'manual' },
  ...{ source: { id: 's', type: 'desk' }, destination: { id: 'd', type: 'r2' }, streams: [] },
  ...{ normalization: 'basic', transfer: 'auto', schemaChanges: 'propagate_columns' },
  ...{ maxRejects: 0, acceptEmpty: false, limits: DEFAULT_LIMITS },
}

function planned(includeFiles: boolean) {
  const stream: SyncStreamInput = {
    config: {
      ...{ name: 'attachments', syncMode: 'full_refresh', destinationSyncMode: 'append' },
      ...(includeFiles ? { includeFiles } : {}),
    },
    ...{ state: null, generationId: 1, minimumGenerationId: 0, generationRows: 0 },
    ...{
      generationHash: '',
      knownColumns: [],
      previousRows: 0,
      quietAfter: null,
      lastChunk: null,
      hasPartitions: false,
    },
  }
  return planStream(input, stream, attachments, {
    source: { formats: [], rereadable: false },
    destination: {
      ...{ modes: ['append'], formats: [], ledger: false, transfer: 'staged', verify: [] },
      ...{ namespaces: false, limits: { nulInText: true, nonFinite: true, years: [1, 9999] } },
    },
  })
}

it('files that are asked for have a place of their connection, and a column that says where', () => {
  const { configured, plan } = planned(true)
  expect(configured.files).toEqual({ prefix: 'files/c1/' })
  expect(plan.columns.map(({ name }) => name)).toEqual(['id', 'file_reference'])
})

it('files that nobody asks for leave no trace', () => {
  const { configured, plan } = planned(false)
  expect(configured.files).toBeUndefined()
  expect(plan.columns.map(({ name }) => name)).toEqual(['id'])
})
