import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject, ReadEvent, StreamState } from '../../../../src/protocol/index.ts'
import { testContext } from '../../../conformance/context.ts'
import { configure, readEvents, statesOf } from '../../../conformance/reading.ts'
import { loadConnector } from '../declarative/connector.ts'
import { MockApi } from '../declarative/mock-api.ts'
import { recordsOf } from '../declarative/record-rules.ts'
import { StillClock } from '../declarative/still-clock.ts'
import { declarativeConformance } from '../declarative/suite.ts'
import { Account, hoursAgo } from './account.ts'
import { stripe, stripeApi } from './mock.ts'

declarativeConformance(stripe)

describe('stripe besides', () => {
  const clock = new StillClock()
  const { source } = loadConnector('stripe', clock.patience)
  const { config, origins } = stripe
  let account: Account
  let api: MockApi
  beforeEach(async () => {
    clock.start()
    account = new Account()
    const { routes, authorize } = stripeApi(account)
    api = await new MockApi({ origins, routes, authorize }).start()
  })
  afterEach(async () => {
    clock.stop()
    await api.stop()
    expect(api.violations).toEqual([])
  })

  /** What a merge by key and cursor leaves: of equal cursors the later row. */
  const merged = (rows: JsonObject[]) => {
    const table = new Map<unknown, JsonObject>()
    for (const row of rows) {
      const known = table.get(row.id)
      if (!known || Number(row.updated) >= Number(known.updated)) table.set(row.id, row)
    }
    return table
  }

  async function read(state: StreamState, stopAfter = Number.POSITIVE_INFINITY) {
    const ctx = testContext({ http: api.http })
    const { streams } = await source.discover(ctx, config)
    const invoices = streams.find(({ name }) => name === 'invoices')
    if (!invoices) throw new Error('no invoices')
    const configured = configure(invoices, {
      syncMode: 'incremental',
      destinationSyncMode: 'append_dedup',
    })
    const reading = { source, config, ctx }
    const events: ReadEvent[] = []
    for await (const event of readEvents(reading, [configured], new Map([['invoices', state]]))) {
      events.push(event)
      if (event.type === 'state' && --stopAfter === 0) break
    }
    return { rows: recordsOf(events), state: statesOf(events).at(-1) as StreamState }
  }

  function payAtOnce() {
    const [invoice = {}] = account.rows('invoices')
    for (const status of ['open', 'paid', 'refunded', 'void']) {
      Object.assign(invoice, { status })
      account.tellAt('invoice.updated', invoice, hoursAgo(1))
    }
    return invoice.id
  }

  it('ends with the last of several events of one second, though the newest come first', async () => {
    const id = payAtOnce()
    const { rows } = await read({ updated: String(hoursAgo(2)) })
    expect(rows.filter((row) => row.id === id).length).toBeGreaterThan(1)
    expect(merged(rows).get(id)).toMatchObject({ status: 'void' })
  })

  it('also when it stops between two of them', async () => {
    const id = payAtOnce()
    const first = await read({ updated: String(hoursAgo(2)) }, 1)
    const rest = await read(first.state)
    expect(rest.rows.length + first.rows.length).toBeGreaterThan(1)
    expect(merged([...first.rows, ...rest.rows]).get(id)).toMatchObject({ status: 'void' })
  })
})
