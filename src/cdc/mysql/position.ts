import { AirbyteError, type JsonObject, type StreamKey } from '../../protocol/index.ts'
import type { PreparedXa } from './xa.ts'

/**
 * How far a binlog was read: every transaction before `pos` of `file` is done, and of the one that begins
 * there the first `events` row events.
 */
export interface BinlogPosition {
  file: string
  pos: number
  /** The same by global transaction ids, as the server prints them; empty: it is not known. */
  gtid: string
  /** Row events of the transaction that is being read. */
  events: number
  /** Added to the file's number: a server that took over may count from anywhere. */
  base: number
  /** Before `pos`, and not decided there: their rows count where they are committed. Absent: none. */
  prepared?: PreparedXa[]
  /** Streams whose tables are not there at `pos`. Absent: none. */
  dropped?: StreamKey[]
}

/** Where the log has a transaction. */
export interface TransactionPlace {
  /** Of the event that begins it; an empty file: it is found by what was read before it. */
  file: string
  pos: number
  /** Global transaction ids of all that is before it; empty: they are not known. */
  gtid: string
}

/** The number in `mysql-bin.000042`. */
export const fileNumber = (file: string): number => Number(/\.(\d+)$/.exec(file)?.[1] ?? 0)

/** More than a file ever has; numbers of files stay exact far beyond what servers count. */
const FILE_SPAN = 2 ** 36

/** One number that grows along the log. */
export const orderOf = (file: string, base: number, pos: number): number =>
  (fileNumber(file) + base) * FILE_SPAN + pos

/** Whether everything before `goal` is done. */
export function hasPassed(position: BinlogPosition, goal: { file: string; pos: number }): boolean {
  const [at, wanted] = [fileNumber(position.file), fileNumber(goal.file)]
  return at > wanted || (at === wanted && position.pos >= goal.pos)
}

export const positionToJson = ({ prepared, dropped, ...rest }: BinlogPosition): JsonObject => ({
  v: 1,
  ...rest,
  ...(prepared?.length ? { prepared: prepared.map((one) => ({ ...one })) } : {}),
  ...(dropped?.length ? { dropped } : {}),
})

/** Undoes `positionToJson`. Throws STATE_INVALID. */
export function positionFromJson(json: JsonObject): BinlogPosition {
  const { v, file, pos, gtid = '', events = 0, base = 0, prepared, dropped } = json
  if (v !== 1 || typeof file !== 'string' || typeof pos !== 'number') {
    throw new AirbyteError('STATE_INVALID', 'The saved state is not a position in a binlog.')
  }
  const position = { file, pos, gtid: String(gtid), events: Number(events), base: Number(base) }
  return {
    ...position,
    ...(prepared ? { prepared: prepared as unknown as PreparedXa[] } : {}),
    ...(dropped ? { dropped: dropped as StreamKey[] } : {}),
  }
}

export const printPosition = ({ file, pos }: { file: string; pos: number }) => `${file}:${pos}`
