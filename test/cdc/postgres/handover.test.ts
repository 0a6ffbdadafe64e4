import { describe, expect, it } from 'vitest'
import { CDC_COLUMNS, type ChangeBatch } from '../../../src/cdc/postgres/index.ts'
import type { Cell, RowOp } from '../../../src/protocol/index.ts'
import { createHandover, type Handover } from './handover-model.ts'

/** A row of the table: key, counter, large value. */
type Row = [id: number, n: number, large: string]

type Change =
  | { op: 'insert'; row: Row }
  /** `large` absent: unchanged, and left out of the log. */
  | { op: 'update'; from: number; id: number; n: number; large?: string }
  | { op: 'delete'; id: number }
  | { op: 'truncate' }

/** One transaction of the log. */
interface Committed {
  commit: bigint
  changes: Change[]
}

const COLUMNS = [
  { name: 'id', type: 'integer' as const },
  { name: 'n', type: 'integer' as const },
  { name: 'large', type: 'string' as const },
]

/** As the decoder gives it. */
function batchOf(change: Change, commit: bigint, sequence: number): ChangeBatch {
  const lsn = Number(commit)
  const rows: { op: RowOp; cells: Cell[] }[] = []
  if (change.op === 'insert') rows.push({ op: 'u', cells: change.row })
  if (change.op === 'delete') rows.push({ op: 'd', cells: [change.id, null, null] })
  const moved = change.op === 'update' && change.from !== change.id
  const unchanged = change.op === 'update' && change.large === undefined
  if (change.op === 'update') {
    if (moved) rows.push({ op: 'd', cells: [change.from, null, null] })
    rows.push({ op: 'u', cells: [change.id, change.n, change.large ?? null] })
  }
  const last = rows.length - 1
  return {
    kind: 'records',
    stream: 't',
    schema: [...COLUMNS, ...CDC_COLUMNS],
    length: rows.length,
    columns: [
      ...COLUMNS.map((_, c) => rows.map(({ cells }) => cells[c] as Cell)),
      rows.map(() => lsn),
      rows.map(() => 'now'),
      rows.map(({ op }) => (op === 'd' ? 'now' : null)),
    ],
    extractedAt: 0,
    op: rows.map(({ op }) => op),
    sequences: rows.map(() => sequence),
    ...(unchanged ? { unchanged: [undefined, undefined, Uint8Array.of(1 << last)] } : {}),
    ...(moved && unchanged ? { movedFrom: new Map([[last, last - 1]]) } : {}),
  }
}

function replay(table: Handover, log: Committed[]) {
  for (const { commit, changes } of log) {
    changes.forEach((change, at) => {
      if (change.op === 'truncate') table.truncate({ commit, sequence: at + 1 })
      else table.apply(batchOf(change, commit, at + 1))
    })
  }
}

const sorted = (rows: Iterable<Cell[]>) =>
  [...rows].sort((a, b) => Number(a[0]) - Number(b[0])).map((row) => [...row])

describe('snapshot and log', () => {
  it('lets the log win over a snapshot that was read later and still saw the old row', () => {
    // The update is in the log at 10 and waits for its standby; the row is read when the log ends at 20.
    const table = createHandover([0], 3)
    table.snapshot([[1, 0, 'old']], 20n)
    replay(table, [
      { commit: 10n, changes: [{ op: 'update', from: 1, id: 1, n: 1, large: 'new' }] },
    ])
    expect(table.rows()).toEqual([[1, 1, 'new']])
  })

  it('does not give a moved row the large value of the next row with its old key', () => {
    // Key 1 moves to 0, behind the reader, and is taken by a new row, which the reader sees.
    const table = createHandover([0], 3)
    table.snapshot([[1, 9, 'of the new row']], 30n)
    const log: Committed[] = [
      { commit: 10n, changes: [{ op: 'update', from: 1, id: 0, n: 5 }] },
      { commit: 20n, changes: [{ op: 'insert', row: [1, 9, 'of the new row'] }] },
    ]
    replay(table, log)
    expect(table.missing()).toEqual([[0]])
    table.repair([[0, 5, 'of the old row']], 40n)
    expect(sorted(table.rows())).toEqual([
      [0, 5, 'of the old row'],
      [1, 9, 'of the new row'],
    ])
  })

  it('gives a moved row its large value where that was read before the move', () => {
    const table = createHandover([0], 3)
    table.snapshot([[1, 0, 'large']], 9n)
    replay(table, [{ commit: 10n, changes: [{ op: 'update', from: 1, id: 2, n: 5 }] }])
    expect(table.missing()).toEqual([])
    expect(table.rows()).toEqual([[2, 5, 'large']])
  })

  it('resurrects nothing when the log is replayed', () => {
    const table = createHandover([0], 3)
    const log: Committed[] = [
      { commit: 10n, changes: [{ op: 'insert', row: [1, 0, 'a'] }, { op: 'truncate' }] },
      { commit: 20n, changes: [{ op: 'insert', row: [2, 0, 'b'] }] },
      { commit: 30n, changes: [{ op: 'delete', id: 2 }] },
    ]
    replay(table, log)
    replay(table, log)
    expect(table.rows()).toEqual([])
  })

  it.each(Array.from({ length: 200 }, (_, seed) => seed))('agree, seed %i', (seed) => {
    const { table, log, chunks } = simulate(seed)
    const merged = createHandover([0], 3)
    for (const { rows, readBy } of chunks) merged.snapshot(rows, readBy)
    replay(merged, log)
    // Read again what is missing; then the log as far as it went meanwhile: here, nothing new.
    const end = (log.at(-1)?.commit ?? 0n) + 1n
    const again = merged.missing().map(([id]) => table.get(Number(id)) as Row)
    merged.repair(again, end)
    expect(sorted(merged.rows())).toEqual(sorted(table.values()))
    replay(merged, log)
    expect(sorted(merged.rows())).toEqual(sorted(table.values()))
  })
})

/**
 * A table that is written to while it is read in chunks by key. Commits are in the log some steps
 * before readers see them, as with a standby that is slow.
 */
function simulate(seed: number) {
  const random = generator(seed)
  const pick = (n: number) => Math.floor(random() * n)
  const table = new Map<number, Row>()
  const visible = new Map<number, Row>()
  const waiting: { changes: Change[]; keys: Set<number> }[] = []
  const log: Committed[] = []
  let lsn = 100n
  let version = 0
  for (let id = 0; id < 30; id += 2) {
    table.set(id, [id, 0, `v${++version}`])
    visible.set(id, table.get(id) as Row)
  }

  function commit() {
    const locked = new Set(waiting.flatMap(({ keys }) => [...keys]))
    const changes: Change[] = []
    const keys = new Set<number>()
    for (let left = 1 + pick(3); left > 0; left--) {
      const change = randomChange(table, pick, () => `v${++version}`)
      if (!change) continue
      const touched = keysOf(change, table)
      // Whoever waits for a standby still holds the locks of its rows.
      if (touched.some((id) => locked.has(id))) continue
      for (const id of touched) keys.add(id)
      applyTo(table, change)
      changes.push(change)
    }
    if (changes.length === 0) return
    lsn += BigInt(1 + pick(5))
    log.push({ commit: lsn, changes })
    lsn += 1n
    waiting.push({ changes, keys })
  }

  const show = (at: number) => {
    const [shown] = waiting.splice(at, 1)
    for (const change of shown?.changes ?? []) applyTo(visible, change)
  }

  const chunks: { rows: Row[]; readBy: bigint }[] = []
  for (let from = 0; from < 40; ) {
    const step = pick(10)
    if (step < 5) commit()
    else if (step < 8 && waiting.length > 0) show(pick(waiting.length))
    else {
      const to = from + 1 + pick(6)
      const rows = [...visible.values()].filter(([id]) => id >= from && id < to)
      // The log may go on between the read and the question where it ends.
      if (pick(3) === 0) commit()
      chunks.push({ rows: rows.map((row) => [...row]), readBy: lsn })
      from = to
    }
  }
  for (let left = pick(10); left > 0; left--) commit()
  return { table, log, chunks }
}

function randomChange(
  table: Map<number, Row>,
  pick: (n: number) => number,
  large: () => string,
): Change | undefined {
  const ids = [...table.keys()]
  const id = ids[pick(ids.length)]
  const free = pick(40)
  const kind = pick(100)
  if (kind < 2) return { op: 'truncate' }
  if (kind < 30 || id === undefined) {
    return table.has(free) ? undefined : { op: 'insert', row: [free, 0, large()] }
  }
  if (kind < 45) return { op: 'delete', id }
  const to = kind < 75 && !table.has(free) ? free : id
  const n = pick(1000)
  return { op: 'update', from: id, id: to, n, ...(pick(3) === 0 ? { large: large() } : {}) }
}

const keysOf = (change: Change, table: Map<number, Row>): number[] => {
  if (change.op === 'truncate') return [...Array(40).keys(), ...table.keys()]
  if (change.op === 'insert') return [change.row[0]]
  return change.op === 'update' ? [change.from, change.id] : [change.id]
}

function applyTo(table: Map<number, Row>, change: Change) {
  if (change.op === 'truncate') table.clear()
  else if (change.op === 'insert') table.set(change.row[0], [...change.row])
  else if (change.op === 'delete') table.delete(change.id)
  else {
    const before = table.get(change.from)
    if (!before) throw new Error(`no row ${change.from}`)
    table.delete(change.from)
    table.set(change.id, [change.id, change.n, change.large ?? before[2]])
  }
}

/** mulberry32 */
function generator(seed: number) {
  let state = seed * 2654435761
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
