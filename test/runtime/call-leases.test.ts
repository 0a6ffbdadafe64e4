import { describe, expect, it } from 'vitest'
import { CallLeases, type CallOwner } from '../../src/runtime/call-leases.ts'
import { type CallRates, callWindow } from '../../src/runtime/call-window.ts'
import { LeasedCalls } from '../../src/runtime/declarative/requester/leased-calls.ts'

const START = 1_800_000_000_000
const moving = (...rates: [limit: number, interval: number][]): CallRates => ({
  window: 'moving',
  rates: rates.map(([limit, interval]) => ({ limit, interval })),
})
const fixed = (limit: number, interval: number): CallRates => ({
  window: 'fixed',
  rates: [{ limit, interval }],
})

/** An owner that counts how often it is asked, as the object of a source that is kept in rows. */
function openOwner({ longestMs = 5000 } = {}) {
  const clock = { now: START }
  const rows = new Map<string, string>()
  const leases = new CallLeases(
    {
      use(key, rates, change) {
        const window = callWindow(rates, JSON.parse(rows.get(key) ?? 'null') ?? undefined)
        const result = change(window)
        rows.set(key, JSON.stringify(window.save()))
        return result
      },
    },
    () => clock.now,
    longestMs,
  )
  const asked = { take: 0, learn: 0 }
  const owner: CallOwner = {
    async takeCalls(...wish) {
      asked.take++
      return leases.take(...wish)
    },
    async learnCalls(...said) {
      asked.learn++
      return leases.learn(...said)
    },
    giveBackCalls: async (...back) => leases.giveBack(...back),
  }
  const run = (rates: CallRates) =>
    new LeasedCalls({ key: 'calls', rates, owner, now: () => clock.now })
  return { clock, asked, run, rows }
}

/** When so many calls were made by runs that take turns, a millisecond a call. */
async function makeCalls(runs: LeasedCalls[], clock: { now: number }, count: number) {
  const made: number[] = []
  while (made.length < count) {
    let soonest = Number.POSITIVE_INFINITY
    for (const run of runs) {
      const wait = await run.take(1)
      if (wait === 0) made.push(clock.now++)
      else soonest = Math.min(soonest, wait)
      if (wait === 0) soonest = 0
    }
    clock.now += soonest
  }
  return made
}

const mostWithin = (made: number[], interval: number) =>
  Math.max(...made.map((at, i) => made.slice(i).filter((other) => other < at + interval).length))

describe('calls that are leased', () => {
  it('are together no more than are allowed, in any span of time', async () => {
    const { clock, run, asked } = openOwner()
    const rates = moving([100, 10_000], [1000, 600_000])
    const made = await makeCalls([run(rates), run(rates), run(rates)], clock, 1500)
    expect(mostWithin(made, 10_000)).toBeLessThanOrEqual(100)
    expect(mostWithin(made, 600_000)).toBeLessThanOrEqual(1000)
    // Not much less either: a lease counts from its end, a tenth of the interval at most.
    expect((made.at(-1) ?? 0) - START).toBeLessThan(700_000)
    expect(asked.take).toBeLessThan(made.length)
  })

  it('are no more than a fixed window allows, in each of them', async () => {
    const { clock, run } = openOwner()
    const rates = fixed(50, 10_000)
    const made = await makeCalls([run(rates), run(rates)], clock, 300)
    const windows = Map.groupBy(made, (at) => Math.max(1, Math.ceil((at - START) / 10_000)))
    expect(Math.max(...Array.from(windows.values(), ({ length }) => length))).toBeLessThanOrEqual(
      50,
    )
    expect((made.at(-1) ?? 0) - START).toBeLessThan(61_000)
  })

  it('cost an answer of the owner for many of them', async () => {
    const { run, asked } = openOwner()
    const calls = run(moving([5000, 3_600_000]))
    for (let call = 0; call < 1000; call++) expect(await calls.take(1)).toBe(0)
    expect(asked.take).toBeLessThan(30)
  })

  it('come one by one where there are few', async () => {
    const { run } = openOwner()
    const [one, other] = [run(moving([3, 1000])), run(moving([3, 1000]))]
    expect([await one.take(1), await other.take(1), await one.take(1)]).toEqual([0, 0, 0])
    expect(await other.take(1)).toBeGreaterThan(0)
  })

  it('go back to the others when a run ends', async () => {
    const { run, rows } = openOwner()
    const calls = run(moving([1000, 60_000]))
    for (let call = 0; call < 20; call++) await calls.take(1)
    const before = callWindow(moving([1000, 60_000]), JSON.parse(rows.get('calls') ?? '')).left(
      START,
    )
    expect(before).toBeLessThan(980)
    await calls.close()
    const after = callWindow(moving([1000, 60_000]), JSON.parse(rows.get('calls') ?? '')).left(
      START,
    )
    expect(after).toBe(980)
  })

  it('of a run that died are missing no longer than the window is', async () => {
    const { clock, run } = openOwner()
    const rates = moving([10, 1000])
    const dead = run(rates)
    for (let call = 0; call < 10; call++) await dead.take(1)
    clock.now += 1102
    expect(await run(rates).take(10)).toBe(0)
  })

  it('count for as many as the API says that are left, and the owner hears it once', async () => {
    const { run, asked } = openOwner()
    const rates = fixed(1000, 60_000)
    const [one, other] = [run(rates), run(rates)]
    for (let left = 100; left > 0; left--) {
      expect(await one.take(1)).toBe(0)
      await one.learn({ left: left - 1 })
    }
    expect(asked.learn).toBeLessThan(5)
    expect(await other.take(1)).toBeGreaterThan(0)
  })

  it('are none after an answer of too many, also for who has some in hand', async () => {
    const { clock, run } = openOwner()
    const rates = fixed(1000, 60_000)
    const [one, other] = [run(rates), run(rates)]
    for (let call = 0; call < 20; call++) await one.take(1)
    await one.learn({ left: 0, resetAt: START + 30_000 })
    expect(await one.take(1)).toBe(30_001)
    expect(await other.take(1)).toBe(30_001)
    clock.now += 30_001
    expect(await other.take(1)).toBe(0)
  })
})

describe('the calls in a moving window', () => {
  it('take little room however many there are, and allow no more for it', () => {
    const rates = moving([20_000, 3_600_000])
    let window = callWindow(rates)
    let now = START
    let taken = 0
    for (; taken < 20_000; taken++, now += 150) {
      if (taken % 1000 === 0) window = callWindow(rates, JSON.parse(JSON.stringify(window.save())))
      if (window.take(1, now) > 0) break
    }
    expect(taken).toBe(20_000)
    expect(JSON.stringify(window.save()).length).toBeLessThan(20_000)
    const wait = window.take(1, now)
    expect(now + wait - START).toBeGreaterThan(3_600_000)
    expect(now + wait - START).toBeLessThan(3_600_000 * 1.01)
  })
})
