import { describe, expect, it } from 'vitest'
import { lineOf } from '../../src/cli/progress.ts'
import { render } from '../../src/cli/render.ts'
import { type UpgradePlan, upgradePlan } from '../../src/cli/upgrade-plan.ts'
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

describe('the plan of an upgrade', () => {
  const same = { license: 'MIT', contentHash: 'x' }
  const none = { added: [], removed: [], nowRequired: [], nowSecret: [], noLongerSecret: [] }
  const plain = {
    ...{ applied: false, plan: 'p1', connector: { id: 'c', name: 'shop' }, direction: 'upgrade' },
    ...{ from: { ...same, version: '1.0.0' }, to: { ...same, version: '2.0.0' } },
    ...{ spec: { ...none, retyped: [] }, configMigrations: 0, breakingChanges: [] },
    streams: { added: [], removed: [], refused: [], changed: [], dynamic: [], runs: 3 },
    ...{ usedBy: { sources: [], connections: [] }, credentials: 'kept' },
  }
  const shown = (over: object) => upgradePlan({ ...plain, ...over } as unknown as UpgradePlan)

  it('that changes nothing else is three lines', () => {
    expect(shown({})).toBe(
      'shop: 1.0.0 -> 2.0.0 (upgrade), licence MIT\ncredentials: kept\nplan: p1',
    )
  })

  it('says in a line each what comes, goes and changes, and who must act', () => {
    const field = { path: 'region', type: 'string', required: true, secret: false }
    const key = { from: [['id']], to: [['id'], ['shop', 'id']] }
    const more = { from: null, to: 'updated_at' }
    const types = [{ path: 'price', from: 'number', to: 'string' }]
    const fields = { added: ['size'], removed: ['colour'], retyped: types }
    const orders = { name: 'orders', primaryKey: key, cursorField: more, schema: 'static', fields }
    const text = shown({
      to: { version: '2.0.0', license: 'ELv2', contentHash: 'y' },
      breakingChanges: [
        { version: '2.0.0', message: 'All\nis\u001b[31m new.', deadline: '2027-01-31' },
      ],
      spec: { ...none, added: [field], removed: ['old'], nowSecret: ['token'], retyped: types },
      streams: {
        ...{ added: ['hooks'], removed: ['webhooks'], changed: [orders], dynamic: ['per_shop'] },
        refused: [{ name: 'reports', reason: 'needs a class' }],
      },
      usedBy: {
        sources: [{ name: 'eu', version: '1.0.0', problems: ['config.region is missing'] }],
        connections: [
          { name: 'lake', lost: ['webhooks'] },
          { name: 'other', lost: [] },
        ],
      },
      credentials: 'entered again',
    })
    expect(text.split('\n')).toEqual([
      'shop: 1.0.0 -> 2.0.0 (upgrade), licence MIT -> ELv2',
      'breaking',
      '  ! 2.0.0 (until 2027-01-31): All is[31m new.',
      'config',
      '  + region (string, required)',
      '  - old',
      '  ~ token: secret now',
      '  ~ price: number -> string',
      'streams',
      '  + hooks',
      '  - webhooks',
      '  - reports: needs a class',
      '  ~ orders: key id -> id, shop.id',
      '  ~ orders: cursor none -> updated_at',
      '  ~ orders: + size',
      '  ~ orders: - colour',
      '  ~ orders: ~ price: number -> string',
      '  ~ per_shop: its streams come from the API and are not compared',
      'sources',
      '  ! eu: config.region is missing',
      'connections',
      '  ! lake: loses webhooks',
      'credentials: entered again',
      'plan: p1',
    ])
  })
})
