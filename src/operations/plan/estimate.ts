import type { StreamOutlook } from './streams.ts'

/** Bytes of a value, on average; what is not here is text of some length. */
const WIDTHS: Record<string, number> = {
  ...{ boolean: 1, integer: 6, number: 8, date: 10 },
  ...{ timestamp_with_timezone: 25, timestamp_without_timezone: 25, object: 120, array: 60 },
}
const TEXT = 24
const CHUNK_BYTES = 64 * 1024 * 1024

/** US dollars at Cloudflare's list prices; docs/scale.md has the arithmetic. */
const PRICE = {
  cpuSecond: 0.02e-3,
  objectRequest: 0.15e-6,
  objectSecond: 0.128 * 12.5e-6,
  queueOperation: 0.4e-6,
  stagedChunk: 15 * 4.5e-6 + 0.36e-6,
}
/** CPU seconds of a million rows of 250 bytes. */
const CPU = { copied: 1.5, converted: 7 }

/** What reading everything once comes to. Streams whose rows nobody knows are left out and counted. */
export function estimateOf(streams: StreamOutlook[]) {
  const known = streams.filter(({ found }) => found.estimated_rows !== undefined)
  const unknownStreams = streams.length - known.length
  const totals = known.reduce(
    (sum, stream) => {
      const rows = stream.found.estimated_rows ?? 0
      const bytes = rows * rowBytes(stream)
      return {
        rows: sum.rows + rows,
        bytes: sum.bytes + bytes,
        dollars: sum.dollars + dollarsOf(stream, bytes),
      }
    },
    { rows: 0, bytes: 0, dollars: 0 },
  )
  const basis =
    unknownStreams > 0
      ? `A first full read of ${known.length} of ${streams.length} streams; the source does not say how large the others are.`
      : 'A first full read, rows as the source estimates them.'
  const isKnown = known.length > 0
  return {
    ...(isKnown && { rows: totals.rows, bytes: Math.round(totals.bytes) }),
    ...(isKnown && { costUsd: Number(totals.dollars.toPrecision(2)) }),
    ...(unknownStreams > 0 && { unknownStreams }),
    basis: `${basis} Cost at Cloudflare's list prices, without what the systems at both ends charge.`,
  }
}

const rowBytes = ({ planned }: StreamOutlook) =>
  (planned?.plan.columns ?? []).reduce((sum, { type }) => sum + (WIDTHS[type] ?? TEXT), 0)

function dollarsOf({ planned }: StreamOutlook, bytes: number): number {
  const millions = bytes / 250e6
  const chunks = Math.ceil(bytes / CHUNK_BYTES)
  const cpuSeconds = millions * (planned?.passThrough ? CPU.copied : CPU.converted)
  return (
    cpuSeconds * PRICE.cpuSecond +
    (8 + 12 * chunks) * PRICE.objectRequest +
    (2 + 10 * millions) * PRICE.objectSecond +
    (4 + 2 * chunks) * PRICE.queueOperation +
    (planned?.transfer === 'staged' ? chunks * PRICE.stagedChunk : 0)
  )
}
