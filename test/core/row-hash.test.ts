import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  addHashes,
  addRows,
  emptyRowHash,
  formatRowHash,
  hashLine,
} from '../../src/core/row-hash.ts'

const client = new pg.Client(inject('pgUrl'))
beforeAll(() => client.connect())
afterAll(() => client.end())

const LINES = Array.from({ length: 60 }, (_, n) =>
  'abcdefghijklmnopqrstuvwxyzäöü€🎈'.repeat(3).slice(0, n),
)
const encode = (text: string) => new TextEncoder().encode(text)

describe('row hash', () => {
  it("equals PostgreSQL's hashtextextended for every length of tail", async () => {
    const { rows } = await client.query(
      'select hashtextextended(t, 0)::text h from unnest($1::text[]) with ordinality u(t, n) order by n',
      [LINES],
    )
    expect(LINES.map((line) => BigInt.asIntN(64, hashLine(encode(line))).toString())).toEqual(
      rows.map((row) => row.h),
    )
  })

  it('does not depend on order or on batch borders, and counts duplicates', () => {
    const sum = (...batches: string[]) => {
      const hash = emptyRowHash()
      for (const batch of batches) addRows(hash, encode(batch))
      return formatRowHash(hash)
    }
    expect(sum('a\nb\n', 'c\n')).toBe(sum('c\nb\na\n'))
    expect(sum('a\na\n')).not.toBe(sum('a\n'))
    expect(addHashes(sum('a\n'), sum('b\n'))).toBe(sum('a\nb\n'))
  })

  it('refuses bytes that end in the middle of a row', () => {
    expect(() => addRows(emptyRowHash(), encode('a\nb'))).toThrow(RangeError)
  })
})
