import { describe, expect, it } from 'vitest'
import { createNodeContext } from '../../../src/egress/node-context.ts'
import type { ConfiguredStream, StreamState } from '../../../src/protocol/index.ts'
import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import { unchangedFollowed } from '../../../src/runtime/database/unchanged-followed.ts'

const bound = { type: 'cdc', log: 'l', segment: 0, position: { at: 0 }, end: '10', since: '0' }

function followed(...names: string[]) {
  const streams = names.map((name) => ({
    ...{ stream: { name, json_schema: {} }, upperBound: bound },
  })) as unknown as ConfiguredStream[]
  const state = { v: 1, type: 'cdc', log: 'l', segment: 0, position: { at: 0 }, since: '0' }
  const states = new Map(names.map((name) => [name, state as unknown as StreamState]))
  return { streams, state: { streams: states } }
}

/** A log that is staged by one place an answer, up to 10; `changes`: at which place a stream has one. */
function log(changes: Record<string, number>) {
  let at = 0
  const unloaded = async () => {
    at += 1
    const streams = Object.keys(changes).filter((name) => Number(changes[name]) <= at)
    return { streams, end: { segment: at, position: { at } } }
  }
  const ctx = { ...createNodeContext(), changes: { unloaded } } as unknown as ConnectorContext
  return { ctx, staged: () => at }
}

const hasPassed = ({ at }: { at?: unknown }, place: string) => Number(at) >= Number(place)

describe('streams of a log that need not be read', () => {
  it('are those without changes up to its end', async () => {
    const { ctx } = log({ a: 2, c: 9 })
    const { streams, state } = followed('a', 'b', 'c')
    expect(await unchangedFollowed(ctx, streams, state, hasPassed)).toEqual(new Set(['b']))
  })

  it('are not waited for once each has changes: reading begins while the log is staged', async () => {
    const { ctx, staged } = log({ a: 2, b: 3 })
    const { streams, state } = followed('a', 'b')
    expect(await unchangedFollowed(ctx, streams, state, hasPassed)).toEqual(new Set())
    expect(staged()).toBe(3)
  })
})
