import type { RunningServer } from '../../scripts/lib/local-server.ts'
import type { Workbench } from '../syncs.ts'
import type { Reader } from './reader.ts'

/** Of which a figure is the best. */
export const ROUNDS = 3

/** What the parts of the bench share. */
export interface Bench {
  /** The sources alone, in a Worker of their own. */
  reader: Reader
  /** The product. */
  server: RunningServer
  workbench: Workbench
  /** Of the table. */
  rows: number
  changes: number
}

/** What one way of moving rows or changes took: the best of its rounds. */
export interface Figure {
  name: string
  rows: number
  seconds: number
  /** Of workerd; absent: another process's, and not ours to measure. */
  cpuSeconds?: number
  /** Why there is no figure, or what the other rounds took. */
  note?: string
}

/** A figure as a line of a table. */
export const shown = ({ name, rows, seconds, cpuSeconds, note }: Figure) => ({
  name,
  rows: rows.toLocaleString('en'),
  seconds: Number.isNaN(seconds) ? '-' : seconds.toFixed(1),
  'a second': Number.isNaN(seconds) ? '-' : Math.round(rows / seconds).toLocaleString('en'),
  'CPU µs each': cpuSeconds === undefined ? '' : ((cpuSeconds / rows) * 1e6).toFixed(1),
  note: note ?? '',
})
