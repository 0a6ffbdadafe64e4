import type { Sync } from '../sdk/index.ts'
import type { Io } from './io.ts'
import { printable } from './printable.ts'

const WIDTH = 24

interface StreamLine {
  rowsLoaded: number
  estimatedRows?: number
}

/** One line that is drawn over again, on standard error and only on a terminal. */
export function progressBar(io: Io): { show(sync: Sync): void; end(): void } {
  if (!io.terminal) return { show: () => {}, end: () => {} }
  const started = Date.now()
  return {
    show: (sync) => io.err(`\r\u001b[2K${lineOf(sync, (Date.now() - started) / 1000)}`),
    end: () => io.err('\n'),
  }
}

export function lineOf(sync: Sync, seconds: number): string {
  const streams = (sync.streams ?? []) as StreamLine[]
  const rows = streams.reduce((sum, { rowsLoaded }) => sum + rowsLoaded, 0) || sync.rows
  const total = streams.reduce((sum, { estimatedRows }) => sum + (estimatedRows ?? Number.NaN), 0)
  const share =
    sync.status === 'succeeded' ? 1 : total > 0 ? Math.min(0.99, rows / total) : undefined
  const rate = seconds > 0.5 ? `  ${Math.round(rows / seconds).toLocaleString('en')} rows/s` : ''
  const bar = share === undefined ? '' : `${barOf(share)} ${Math.floor(share * 100)} %  `
  return `${bar}${sync.status}  ${rows.toLocaleString('en')} rows${rate}${waitOf(sync)}`
}

/** Of several streams that wait, the one that goes on first. */
function waitOf({ waiting = [] }: Sync): string {
  const [first] = [...waiting].sort((a, b) => (a.until < b.until ? -1 : 1))
  const others = waiting.length > 1 ? ` (and ${waiting.length - 1} more)` : ''
  return first ? `  waits: ${printable(first.reason)}${others}` : ''
}

const barOf = (share: number) => {
  const full = Math.round(share * WIDTH)
  return `[${'#'.repeat(full)}${'-'.repeat(WIDTH - full)}]`
}
