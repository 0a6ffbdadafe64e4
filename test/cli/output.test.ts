import { describe, expect, it } from 'vitest'
import { lineOf } from '../../src/cli/progress.ts'
import { render } from '../../src/cli/render.ts'
import type { Sync } from '../../src/sdk/index.ts'

const sync = (status: Sync['status'], rowsLoaded: number, estimatedRows?: number) =>
  ({ status, rows: rowsLoaded, streams: [{ rowsLoaded, estimatedRows }] }) as unknown as Sync

describe('the progress bar', () => {
  it('shows the share of the estimate and the speed', () => {
    expect(lineOf(sync('running', 50_000, 200_000), 5)).toBe(
      '[######------------------] 25 %  running  50,000 rows  10,000 rows/s',
    )
  })

  it('is not full before the end, however wrong the estimate', () => {
    expect(lineOf(sync('running', 500, 200), 1)).toContain('99 %')
    expect(lineOf(sync('succeeded', 500, 200), 1)).toContain('100 %')
  })

  it('has no bar where nobody knows how much there is', () => {
    expect(lineOf(sync('running', 7), 0)).toBe('running  7 rows')
  })

  it('says what is waited for, that which ends first', () => {
    const wait = (stream: string, until: string) => ({ stream, until, reason: `${stream}: busy` })
    const waiting = [wait('a', '2026-01-02T00:00:00.000Z'), wait('b', '2026-01-01T00:00:00.000Z')]
    const line = lineOf({ ...sync('running', 7), waiting }, 0)
    expect(line).toBe('running  7 rows  waits: b: busy (and 1 more)')
  })
})

describe('answers', () => {
  it('of a list are a table of the columns that matter', () => {
    const items = [
      { id: 'a', name: 'orders', status: 'active', extra: 1 },
      { id: 'b', name: 'users', status: 'paused' },
    ]
    expect(render({ items, total: 2 })).toBe(
      ['NAME    STATUS  ID', 'orders  active  a', 'users   paused  b'].join('\n'),
    )
    expect(render({ items: [], total: 0 })).toBe('none')
  })

  it('never carry escape sequences of another system to the terminal', () => {
    const title = '\u001b]0;owned\u0007'
    expect(render({ message: `a${title}b` })).toBe('message  a]0;ownedb')
    expect(render({ records: [{ text: `\u009b31m${title}` }] })).not.toMatch(/[^\P{Cc}\n]/u)
  })
})
