import { expect, it } from 'vitest'
import mysql from '../../../../connectors/sources/mysql/index.ts'
import { following } from '../../../../src/cli/connector/follow.ts'
import { columnsOf, type ReadEvent, type StreamState } from '../../../../src/protocol/index.ts'
import { collect, configure, readEvents, statesOf } from '../../../conformance/reading.ts'
import { cellsOf, changesOf, useDatabase } from './support.ts'

const { run, reading } = useDatabase('tinyints')

const source = {
  ...following(mysql, mysql.log as NonNullable<typeof mysql.log>),
  freeze: undefined,
}

/** Reads the table by a road as the option says. */
async function opened(road: 'snapshot' | 'cursor' | 'log', option: object) {
  const method = { replication_method: { method: road === 'log' ? 'CDC' : 'STANDARD' } }
  const { source: plain, ctx, config: own } = reading({ ...method, ...option })
  const { streams } = await mysql.discover(ctx, own)
  const stream = streams.find(({ name }) => name === 't')
  if (!stream) throw new Error('not discovered')
  const configured = configure(stream, {
    ...(road !== 'snapshot' && { syncMode: 'incremental', destinationSyncMode: 'append_dedup' }),
    ...(road === 'cursor' && { cursorField: ['n'] }),
  })
  const here = { source: road === 'log' ? source : plain, ctx, config: own }
  return {
    stream,
    async read(before: ReadEvent[] = []): Promise<ReadEvent[]> {
      const last = before.findLast((event) => event.type === 'state')
      const states = new Map<string, StreamState>()
      for (const state of statesOf(before)) states.set(last?.stream ?? '', state)
      return collect(readEvents(here, [configured], states, last?.shared))
    },
  }
}

const CREATE = `CREATE OR REPLACE TABLE t (
  id INT, k TINYINT(1) NOT NULL, n BIGINT NOT NULL, t TINYINT(1), u TINYINT(1) UNSIGNED, b BIT(1), PRIMARY KEY (id, k))`
const INSERT =
  "INSERT INTO t VALUES (1, -1, 1, -128, 255, b'1'), (1, 0, 2, 0, 1, b'0'), (1, 7, 3, NULL, NULL, NULL)"

it.each(['snapshot', 'cursor', 'log'] as const)(
  'a TINYINT(1) is an integer from the %s, if that is asked for',
  async (road) => {
    await run(CREATE)
    const { stream, read } = await opened(road, { tinyint1_is_bit: false })
    const types = columnsOf(stream.json_schema).map(({ name, type }) => [name, type])
    expect(Object.fromEntries(types)).toMatchObject({
      ...{ k: 'integer', t: 'integer', u: 'integer', b: 'boolean' },
    })
    const before = road === 'log' ? await read() : []
    await run(INSERT)
    const events = await read(before)
    expect(['k', 't', 'u', 'b'].map((field) => cellsOf(events, field))).toEqual([
      [-1, 0, 7],
      [-128, 0, null],
      [255, 1, null],
      [true, false, null],
    ])
    expect(changesOf(events)).toEqual([])
  },
)

it.each([{}, { tinyint1_is_bit: true }])('a TINYINT(1) is a boolean with %j', async (option) => {
  await run(CREATE, INSERT)
  const { stream, read } = await opened('snapshot', option)
  const t = columnsOf(stream.json_schema).find(({ name }) => name === 't')
  expect(t?.type).toBe('boolean')
  expect(cellsOf(await read(), 't')).toEqual([true, false, null])
})

it('a TINYINT(1) can be a cursor once it is an integer', async () => {
  await run(CREATE)
  const cursors = async (option: object) =>
    JSON.stringify((await opened('snapshot', option)).stream.captures)
  expect(await cursors({ tinyint1_is_bit: false })).toContain('"t"')
  expect(await cursors({})).not.toContain('"t"')
})
