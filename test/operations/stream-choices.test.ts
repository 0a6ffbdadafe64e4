import { describe, expect, it } from 'vitest'
import type { StreamChoice } from '../../src/operations/fields.ts'
import { chooseStreams } from '../../src/operations/stream-choices.ts'
import type { AirbyteStream, DestinationSyncMode } from '../../src/protocol/index.ts'

const columns = { id: { type: 'integer' }, date: { type: 'string' }, note: { type: 'string' } }
const commits: AirbyteStream = {
  name: 'commits',
  namespace: 'public',
  json_schema: { type: 'object', properties: columns },
  supported_sync_modes: ['full_refresh', 'incremental'],
  source_defined_primary_key: [['id']],
}
const keyless: AirbyteStream = { ...commits, name: 'logs', source_defined_primary_key: undefined }
const snapshot: AirbyteStream = {
  ...keyless,
  name: 'rates',
  supported_sync_modes: ['full_refresh'],
}
const twin: AirbyteStream = { ...commits, namespace: 'archive' }

const ALL: DestinationSyncMode[] = ['append', 'overwrite', 'append_dedup', 'overwrite_dedup']
const choose = (
  choices?: StreamChoice[],
  { modes = ALL, cdc = false, streams = [commits, keyless, snapshot] } = {},
) => chooseStreams({ streams }, choices, { modes, cdc })
const one = (choice: Partial<StreamChoice>, options?: Parameters<typeof choose>[1]) =>
  choose([{ name: 'commits', ...choice }], options)[0]
const failing = (choice: Partial<StreamChoice>, options?: Parameters<typeof choose>[1]) => {
  try {
    one(choice, options)
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('what was not said', () => {
  it('means every stream, replaced each time', () => {
    expect(choose().map((s) => [s.name, s.syncMode, s.destinationSyncMode])).toEqual([
      ['commits', 'full_refresh', 'overwrite'],
      ['logs', 'full_refresh', 'overwrite'],
      ['rates', 'full_refresh', 'overwrite'],
    ])
  })

  it('means dedup for an incremental stream with a key, append for one without', () => {
    const incremental = { syncMode: 'incremental', cursorField: 'date' } as const
    expect(one(incremental)).toMatchObject({
      ...{ destinationSyncMode: 'append_dedup', cursorField: ['date'], primaryKey: [['id']] },
    })
    expect(one({ ...incremental, name: 'logs' })).toMatchObject({ destinationSyncMode: 'append' })
    expect(one({ ...incremental, name: 'logs', primaryKey: 'id' })).toMatchObject({
      destinationSyncMode: 'append_dedup',
    })
  })

  it('means what the destination can do', () => {
    expect(one({}, { modes: ['append'] })).toMatchObject({ destinationSyncMode: 'append' })
  })
})

describe('names', () => {
  it('are bare, qualified, or a name and a namespace', () => {
    const named = [
      { name: 'commits' },
      { name: 'public.commits' },
      { name: 'commits', namespace: 'public' },
    ]
    for (const choice of named) expect(one(choice)).toMatchObject({ namespace: 'public' })
  })

  it('that two schemas have must be qualified', () => {
    const streams = [commits, twin]
    expect(failing({}, { streams })).toMatchObject({
      ...{ code: 'STREAM_NOT_FOUND', didYouMean: ['public.commits', 'archive.commits'] },
    })
    expect(one({ name: 'archive.commits' }, { streams })).toMatchObject({ namespace: 'archive' })
  })

  it('that do not exist are answered with the nearest', () => {
    expect(failing({ name: 'comits' })).toMatchObject({
      ...{ code: 'STREAM_NOT_FOUND', field: 'streams[0].name' },
      didYouMean: expect.arrayContaining(['commits']),
    })
  })

  it('may be given once', () => {
    expect(() => choose([{ name: 'commits' }, { name: 'public.commits' }])).toThrow(/twice/)
  })
})

describe('what cannot work is refused by field and code', () => {
  it.each<[string, Partial<StreamChoice>, object]>([
    [
      'a mode the stream lacks',
      { name: 'rates', syncMode: 'incremental' },
      { code: 'MODE_UNSUPPORTED', field: 'streams[0].syncMode' },
    ],
    ['cdc from a source without it', { syncMode: 'cdc' }, { code: 'MODE_UNSUPPORTED' }],
    [
      'incremental overwrite',
      { syncMode: 'incremental', cursorField: 'date', destinationSyncMode: 'overwrite' },
      { code: 'MODE_UNSUPPORTED', hint: expect.stringContaining('append_dedup') },
    ],
    [
      'no cursor',
      { syncMode: 'incremental' },
      { code: 'CURSOR_MISSING', hint: expect.stringContaining('date') },
    ],
    [
      'an unknown cursor',
      { syncMode: 'incremental', cursorField: 'dat' },
      { code: 'CURSOR_MISSING', didYouMean: ['date'] },
    ],
    [
      'dedup without a key',
      { name: 'logs', destinationSyncMode: 'overwrite_dedup' },
      { code: 'PRIMARY_KEY_MISSING', field: 'streams[0].primaryKey' },
    ],
    ['an unknown key', { primaryKey: 'idd' }, { code: 'PRIMARY_KEY_MISSING', didYouMean: ['id'] }],
    [
      'an unknown column',
      { selectedFields: ['id', 'noet'] },
      { code: 'VALIDATION_FAILED', didYouMean: ['note'] },
    ],
    [
      'a selection without the key',
      { selectedFields: ['note'] },
      { code: 'VALIDATION_FAILED', hint: expect.stringContaining("'id'") },
    ],
  ])('%s', (_, choice, expected) => {
    expect(failing(choice)).toMatchObject(expected)
  })

  it('a mode the destination lacks', () => {
    expect(failing({ destinationSyncMode: 'overwrite' }, { modes: ['append'] })).toMatchObject({
      ...{ code: 'MODE_UNSUPPORTED', message: expect.stringContaining('destination') },
    })
  })
})

it('reads cdc as incremental where the source captures changes, by its own cursor', () => {
  const streams = [
    { ...commits, source_defined_cursor: true, default_cursor_field: ['_ab_cdc_lsn'] },
  ]
  expect(one({ syncMode: 'cdc' }, { cdc: true, streams })).toMatchObject({
    ...{
      syncMode: 'incremental',
      destinationSyncMode: 'append_dedup',
      cursorField: ['_ab_cdc_lsn'],
    },
  })
})

describe('a mapping', () => {
  it('is kept as it was checked', () => {
    const mapping = {
      filter: {
        all: [
          { field: 'id', op: 'gt', value: 5 },
          { field: 'note', op: 'not_null' },
        ],
      },
      hash: ['note', 'note'],
      rename: { note: 'remark' },
    }
    expect(one({ mapping })?.mapping).toEqual({ ...mapping, hash: ['note'] })
    expect(one({ mapping: {} })?.mapping).toEqual({})
  })

  it.each([
    ['an unknown part', { drop: ['id'] }, 'streams[0].mapping'],
    ['an unknown column', { hash: ['notes'] }, 'streams[0].mapping.hash'],
    ['a condition without an operator', { filter: { field: 'id' } }, 'streams[0].mapping.filter'],
    [
      'a column of a nested condition',
      { filter: { not: { field: 'ix', op: 'is_null' } } },
      'streams[0].mapping.filter',
    ],
    [
      'a value that its column cannot have',
      { filter: { any: [{ field: 'id', op: 'in', value: [1, 'one'] }] } },
      'streams[0].mapping.filter',
    ],
    ['two columns of one name', { rename: { note: 'id' } }, 'streams[0].mapping.rename.note'],
    [
      'a name that is ours',
      { rename: { note: '_airbyte_meta' } },
      'streams[0].mapping.rename.note',
    ],
  ])('refuses %s by its field', (_title, mapping, field) => {
    expect(failing({ mapping } as Partial<StreamChoice>)).toMatchObject({
      code: 'VALIDATION_FAILED',
      field,
    })
  })

  it('refuses to hash the cursor, and what is not selected', () => {
    const incremental = { syncMode: 'incremental' as const, cursorField: 'date' }
    expect(failing({ ...incremental, mapping: { hash: ['date'] } })).toMatchObject({
      field: 'streams[0].mapping.hash',
    })
    expect(failing({ selectedFields: ['id'], mapping: { hash: ['note'] } })).toMatchObject({
      hint: "Add 'note' to selectedFields.",
    })
  })

  it('bounds how deep a condition goes', () => {
    let filter: object = { field: 'id', op: 'is_null' }
    for (let depth = 0; depth < 50; depth++) filter = { not: filter }
    expect(failing({ mapping: { filter } } as Partial<StreamChoice>)).toMatchObject({
      field: 'streams[0].mapping.filter',
    })
  })
})

describe('files', () => {
  const tickets: AirbyteStream = { ...commits, is_file_based: true }

  it('are stored where the stream has them and they are asked for', () => {
    expect(one({ includeFiles: true }, { streams: [tickets] })).toMatchObject({
      includeFiles: true,
    })
    expect(one({}, { streams: [tickets] })).not.toHaveProperty('includeFiles')
  })

  it('cannot be asked of a stream without any', () => {
    expect(failing({ includeFiles: true })).toMatchObject({
      ...{ code: 'MODE_UNSUPPORTED', field: 'streams[0].includeFiles' },
    })
  })
})
