import { describe, expect, it } from 'vitest'
import type { ConfiguredStream, DestinationSyncMode } from '../../../src/protocol/index.ts'
import { readMetadata } from '../../../src/runtime/declarative/index.ts'
import { ChangeOrder } from '../../../src/runtime/declarative/stream/change-order.ts'

const configured = (destinationSyncMode: DestinationSyncMode) =>
  ({ cursorField: ['at'], primaryKey: [['id']], destinationSyncMode }) as ConfiguredStream

/** `a3` is the row a with the cursor 3. */
const rows = (text: string) => text.split(' ').map((row) => ({ id: row[0], at: Number(row[1]) }))
const text = (records: object[]) =>
  (records as { id: string; at: number }[]).map(({ id, at }) => `${id}${at}`).join(' ')
const arrange = (order: ChangeOrder | undefined, ...pages: string[]) =>
  pages.map((page) => text(order?.arrange(rows(page)) ?? []))

describe('rows in the order of their changes', () => {
  const declared = () => ChangeOrder.of(configured('append_dedup'), true)
  const inferred = () => ChangeOrder.of(configured('append_dedup'), false)

  it('turns a page round that is newest first', () => {
    expect(arrange(inferred(), 'a3 b2 c2 d1')).toEqual(['d1 c2 b2 a3'])
  })

  it('leaves a page that is oldest first, of one moment, in no order or without cursors', () => {
    for (const page of ['a1 b2 c3', 'a1 b1', 'a2 b1 c3', 'ax bx']) {
      expect(arrange(inferred(), page)).toEqual([page.replaceAll('x', 'NaN')])
    }
  })

  it('turns every page round where lists are known to be newest first', () => {
    expect(arrange(declared(), 'a1 b1')).toEqual(['b1 a1'])
  })

  it('leaves out what an earlier page has a newer version of, of the same moment', () => {
    expect(arrange(declared(), 'a2 b1', 'b1 c1', 'c1 b1 d1', 'b0')).toEqual([
      'b1 a2',
      'c1',
      'd1',
      'b0',
    ])
  })

  it('knows that after a break too', () => {
    const order = declared()
    arrange(order, 'a2 b1')
    const saved = order?.save().newestFirst
    const resumed = ChangeOrder.of(configured('append_dedup'), true, saved)
    expect(arrange(resumed, 'b1 c1')).toEqual(['c1'])
  })

  it('has no say where every row is kept', () => {
    expect(ChangeOrder.of(configured('append'), true)).toBeUndefined()
  })

  it('is declared in the metadata of a connector', () => {
    const data = { definitionId: 'a', name: 'Log', dockerImageTag: '1.0.0', license: 'MIT' }
    const read = (more: object) =>
      readMetadata(JSON.stringify({ data: { ...data, ...more } }), 'log')
    expect(read({ newestFirst: true }).newestFirst).toBe(true)
    expect(read({})).not.toHaveProperty('newestFirst')
  })
})
