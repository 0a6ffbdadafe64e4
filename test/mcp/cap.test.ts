import { describe, expect, it } from 'vitest'
import { capResult } from '../../src/mcp/cap.ts'

const rows = (count: number, text = 'x') => Array.from({ length: count }, (_, id) => ({ id, text }))

describe('a result that would cost a model too much', () => {
  it('is left alone while it is small', () => {
    const result = { items: rows(10) }
    expect(capResult(result)).toBe(result)
  })

  it('loses the end of its longest list and says so', () => {
    const capped = capResult({ total: 5000, items: rows(5000), few: [1, 2] })
    expect(JSON.stringify(capped).length).toBeLessThanOrEqual(24_000)
    expect(capped).toMatchObject({ total: 5000, few: [1, 2], truncated: true })
    const kept = (capped.items as unknown[]).length
    expect(capped.truncated_hint).toContain(`${5000 - kept} more in items`)
  })

  it('shortens long texts before it drops rows', () => {
    const capped = capResult({ items: rows(20, 'y'.repeat(10_000)) })
    expect(capped.items).toHaveLength(20)
    expect(JSON.stringify(capped)).toContain('(10000 characters)')
  })

  it('finds lists inside lists', () => {
    const capped = capResult({ streams: [{ name: 'a', fields: rows(5000) }, { name: 'b' }] })
    expect(capped.truncated_hint).toContain('more in streams.0.fields')
    expect(capped.streams).toHaveLength(2)
  })

  it('gives up on one enormous object rather than send it', () => {
    const wide = Object.fromEntries(rows(5000).map(({ id }) => [`k${id}`, 'z'.repeat(20)]))
    const capped = capResult(wide)
    expect(capped.truncated).toBe(true)
    expect(JSON.stringify(capped).length).toBeLessThan(1000)
  })
})
