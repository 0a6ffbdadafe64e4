import { expect, it } from 'vitest'
import { planStream } from '../../../src/core/sync-engine/plan-stream.ts'
import type { SyncInput, SyncStreamInput } from '../../../src/core/sync-engine/types.ts'
import {
  type AirbyteType,
  type DestinationSyncMode,
  type JsonSchema,
  jsonSchemaOf,
  type StreamMapping,
} from '../../../src/protocol/index.ts'

const keeps = (...given: Parameters<typeof plan>) => plan(...given).configured.keepsUnchanged

function plan(
  destinationSyncMode: DestinationSyncMode,
  keepsUnchanged: boolean | 'same key',
  normalization: SyncInput['normalization'] = 'basic',
  more: Record<string, JsonSchema> = {},
  mapping?: StreamMapping,
  past: Partial<SyncStreamInput> = {},
) {
  const input = { connectionId: 'c1', syncId: 1, normalization, transfer: 'auto' } as SyncInput
  const stream = {
    config: {
      name: 't',
      syncMode: 'incremental',
      destinationSyncMode,
      ...(mapping && { mapping }),
    },
    ...{ knownColumns: [], generationRows: 0, generationId: 1, minimumGenerationId: 1 },
    ...past,
  } as unknown as SyncStreamInput
  const found = {
    name: 't',
    json_schema: { properties: { id: { type: 'integer' }, ...more } },
    supported_sync_modes: ['incremental' as const],
    source_defined_cursor: true,
    source_defined_primary_key: [['id']],
  }
  return planStream(input, stream, found, {
    source: { formats: [], rereadable: true },
    destination: {
      ...{ modes: [destinationSyncMode], formats: [], ledger: true, transfer: 'direct' },
      ...{ verify: [], namespaces: false, keepsUnchanged, children: true },
      limits: { nulInText: true, nonFinite: true, years: [1, 9999] },
    },
  })
}

it('a destination that deduplicates gets unchanged values as such only if it can keep them', () => {
  expect(keeps('append_dedup', true)).toBe(true)
  expect(keeps('append_dedup', 'same key')).toBe(true)
  expect(keeps('append_dedup', false)).toBeUndefined()
  expect(keeps('append_dedup', true, 'raw')).toBeUndefined()
})

it('values that become columns of their members can be unchanged, those that become tables cannot', () => {
  const ship: JsonSchema = { type: 'object', properties: { to: { type: 'string' } } }
  const items: JsonSchema = { type: 'array', items: ship }
  const within = { ship: { type: 'object', properties: { items } } } as const
  expect(keeps('append_dedup', true, 'flatten')).toBe(true)
  expect(keeps('append_dedup', true, 'flatten', { ship, items })).toBe(true)
  expect(keeps('append_dedup', true, 'nested', { ship })).toBe(true)
  expect(keeps('append_dedup', true, 'nested', { items })).toBeUndefined()
  expect(keeps('append_dedup', true, 'nested', within)).toBeUndefined()
})

it('a change log has unchanged values as such', () => {
  expect(keeps('append', false)).toBe(true)
})

it('a change that a filter leaves out may have the values that a later one calls unchanged', () => {
  const filter = { field: 'id', op: 'gt', value: 1 } as const
  expect(keeps('append_dedup', true, 'basic', {}, { filter })).toBeUndefined()
  expect(keeps('append_dedup', true, 'basic', {}, { hash: ['id'] })).toBe(true)
  expect(keeps('append', true, 'basic', {}, { filter })).toBe(true)
})

it('a column that came since may not have the name that a mapping gives to another', () => {
  const rename = { id: 'number' }
  expect(() => plan('append', true, 'basic', { number: { type: 'string' } }, { rename })).toThrow(
    "Two columns of t would be called 'number': 'id' and 'number'.",
  )
  const swapped = { id: 'number', number: 'id' }
  const { columns } = plan('append', true, 'basic', { number: {} }, { rename: swapped }).plan
  expect(columns.map(({ name }) => name)).toEqual(['number', 'id'])
})

it.each<
  [from: AirbyteType, to: AirbyteType, DestinationSyncMode, Partial<SyncStreamInput>, boolean]
>([
  ['boolean', 'integer', 'append_dedup', { generationRows: 5 }, true],
  ['boolean', 'integer', 'append', { generationRows: 5 }, true],
  ['integer', 'boolean', 'append', { generationId: 2 }, true],
  ['boolean', 'integer', 'append_dedup', { generationId: 2, minimumGenerationId: 2 }, false],
  ['boolean', 'integer', 'overwrite', { generationId: 2 }, false],
  ['boolean', 'boolean', 'append', { generationRows: 5 }, false],
  ['integer', 'number', 'append', { generationRows: 5 }, false],
])(
  'a column that was %s is %s in mode %s beside %j: refused is %j',
  (from, to, mode, past, isRefused) => {
    const known = { knownColumns: [{ name: 'id', type: from }], ...past }
    const now = jsonSchemaOf([{ name: 'id', type: to }]).properties as Record<string, JsonSchema>
    const planning = () => plan(mode, false, 'basic', now, undefined, known)
    if (isRefused) {
      expect(planning).toThrow(expect.objectContaining({ code: 'SCHEMA_CHANGED', field: 'id' }))
    } else expect(planning().key).toBe('t')
  },
)
