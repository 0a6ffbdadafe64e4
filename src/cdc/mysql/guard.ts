import { AirbyteError } from '../../protocol/index.ts'
import type { MysqlClient } from '../../runtime/mysql/client.ts'
import { type BinlogPosition, fileNumber, orderOf, printPosition } from './position.ts'
import { type BinlogFile, binlogFiles, type LogPoint, serverIdentity } from './server.ts'

/**
 * Where reading goes on: at the position, if this server still has the log after it; by global
 * transaction id on a server that took over. Rejects with CDC_POSITION_LOST.
 */
export async function guardPosition(
  client: MysqlClient,
  position: BinlogPosition,
  server: string,
): Promise<BinlogPosition> {
  if ((await serverIdentity(client)) !== server) return takenOver(position)
  const files = await binlogFiles(client)
  // By its id a transaction is found in whatever file it is now; the server says if it is purged.
  if (position.file === '' || isKept(files, position)) return position
  throw new AirbyteError(
    'CDC_POSITION_LOST',
    `The server no longer has its binlog from ${printPosition(position)} on.`,
    {
      hint: 'Refresh all streams of the connection: they are read from the start. Keep the binlog for longer (binlog_expire_logs_seconds) than syncs may pause.',
    },
  )
}

const isKept = (files: BinlogFile[], { file, pos }: BinlogPosition) =>
  files.some(({ name, size }) => name === file && size >= pos)

/** The new server's files have numbers of their own: the order of changes goes on above what there was. */
function takenOver(position: BinlogPosition): BinlogPosition {
  if (position.gtid === '') {
    throw new AirbyteError(
      'CDC_POSITION_LOST',
      'Another server answers, and its log has no global transaction ids by which to go on.',
      { hint: 'Refresh all streams of the connection: they are read from the start.' },
    )
  }
  const base = position.base + fileNumber(position.file) + 1
  const byId = { file: '', pos: 4 }
  const prepared = position.prepared?.map((one) => ({ ...one, ...byId }))
  return { ...position, ...byId, events: 0, base, ...(prepared ? { prepared } : {}) }
}

/**
 * What is added to numbers of files in a log that begins anew at `point`: rows rank by their place, and
 * those that are read from now on have to rank above those that were read before.
 */
export function baseAbove(position: BinlogPosition, point: LogPoint): number {
  const { file, pos, base } = position
  const isAbove = orderOf(point.file, base, point.pos) > orderOf(file, base, pos)
  return isAbove ? base : base + Math.max(0, fileNumber(file) + 1 - fileNumber(point.file))
}

/** Bytes of log between the position and its end. */
export function bytesAfter(files: BinlogFile[], { file, pos }: BinlogPosition): number {
  const from = fileNumber(file)
  return files.reduce((sum, { name, size }) => {
    const number = fileNumber(name)
    if (number < from) return sum
    return sum + (number === from ? Math.max(0, size - pos) : size)
  }, 0)
}
