import { Buffer } from 'node:buffer'
import { AirbyteError } from '../../protocol/index.ts'
import type { MysqlClient } from '../../runtime/mysql/client.ts'
import { MysqlServerError, serverError } from '../../runtime/mysql/errors.ts'
import type { LogEvent, LogFeed } from '../../runtime/source-log.ts'
import { takeTurns } from '../../runtime/turns.ts'
import { BinlogDecoder, type DecoderOptions, type Replay } from './decoder.ts'
import { MysqlGtids } from './gtid.ts'
import { printPosition, type TransactionPlace } from './position.ts'
import { DENIED, missingRight } from './server.ts'

export interface FeedOptions extends DecoderOptions {
  client: MysqlClient
  /** Milliseconds that a change waits for others; default 2000. */
  lingerMs?: number
}

const COM_BINLOG_DUMP = 0x12
const COM_BINLOG_DUMP_GTID = 0x1e
/** A flag: the transactions follow, and no file is named. */
const THROUGH_GTID = 4
/** A quiet server says so often where its log ends. */
const HEARTBEAT_MS = 500
/** Changes between two checkpoints, at most some more than this. */
const CHECKPOINT_BYTES = 4 << 20
/** The server's own readers (replicas) have numbers that people choose: ours are beyond those. */
const SERVER_IDS = { from: 0x40000000, count: 0x3fffffff }

/**
 * Follows the binlog from a position, as a replica does. Rejects with CDC_POSITION_LOST if the server
 * has no log from there on, and with what the decoder refuses.
 */
export async function openBinlog(options: FeedOptions): Promise<LogFeed> {
  const { client, position, lingerMs = 2000, now } = options
  const decoder = new BinlogDecoder(options)
  await startDump(client, position)
  const turn = takeTurns(now)
  let other: MysqlClient | undefined
  let asked = false
  let flushed = now()

  async function* events(): AsyncGenerator<LogEvent> {
    try {
      yield* follow(client, decoder)
    } catch (error) {
      if (error instanceof MysqlServerError && error.errno === DENIED)
        throw missingRight(client, 'read the binlog')
      throw lost(error, printPosition(position))
    } finally {
      await client.close()
    }
  }

  /** Has the events of a dump decoded, until that has what it wants. */
  async function* follow(
    { reader }: MysqlClient,
    taker: BinlogDecoder | Replay,
  ): AsyncGenerator<LogEvent> {
    while (!taker.isDone) {
      while (!taker.isDone && !reader.isSpread && reader.tryNext()) {
        const kind = reader.bytes[reader.start]
        if (kind !== 0x00) throw ended(reader.cursor(), kind)
        const looking = taker.decode(reader.bytes, reader.start + 1, reader.end)
        if (looking) await looking
        if (decoder.pendingBytes >= CHECKPOINT_BYTES) checkpoint()
        if (decoder.hasReady) yield* decoder.take()
        if (decoder.replay && taker === decoder) yield* replay(decoder.replay)
      }
      if (taker.isDone) return
      if (reader.isSpread) {
        await taker.decodeLarge(reader.pieces())
        if (decoder.pendingBytes >= CHECKPOINT_BYTES) checkpoint()
        yield* decoder.take()
        continue
      }
      if (asked || now() - flushed >= lingerMs) checkpoint()
      yield* decoder.take()
      await turn()
      await reader.fill()
    }
  }

  /** Rows of before are wanted now: those that are not held are read from the log again. */
  async function* replay(wanted: Replay): AsyncGenerator<LogEvent> {
    const { events: held, file, pos, gtid } = wanted.place
    for (const event of held ?? []) {
      await wanted.decode(event, 0, event.length)
      if (decoder.pendingBytes >= CHECKPOINT_BYTES) checkpoint()
      if (decoder.hasReady) yield* decoder.take()
    }
    if (!held) {
      other = await client.another()
      try {
        await startDump(other, { file, pos, gtid: file === '' ? gtid : '' })
        yield* follow(other, wanted)
      } catch (error) {
        throw lost(error, printPosition({ file, pos }))
      } finally {
        await other.close()
      }
    }
    decoder.endReplay(wanted)
  }

  function checkpoint() {
    asked = false
    flushed = now()
    decoder.checkpoint()
  }

  return {
    // The server keeps its log by age, whoever reads it.
    acknowledge: async () => {},
    ask() {
      asked = true
    },
    async close() {
      await Promise.all([other?.close(), client.close()])
    },
    [Symbol.asyncIterator]: events,
  }
}

/** By global transaction ids where there are such, or by file and position. */
async function startDump(client: MysqlClient, position: TransactionPlace): Promise<void> {
  const { gtid } = position
  const settings = [
    "SET @master_binlog_checksum = 'NONE'",
    `SET @master_heartbeat_period = ${HEARTBEAT_MS * 1e6}`,
  ]
  if (client.mariadb) settings.push('SET @mariadb_slave_capability = 4')
  if (client.mariadb && gtid !== '') {
    settings.push(`SET @slave_connect_state = '${gtid.replaceAll(/[^0-9,-]/g, '')}'`)
  }
  for (const setting of settings) await client.query(setting)
  const reader = SERVER_IDS.from + Math.floor(Math.random() * SERVER_IDS.count)
  // On the server that it was read from, a place is found without a search.
  if (!client.mariadb && position.file === '') {
    client.follow(COM_BINLOG_DUMP_GTID, afterTransactions(reader, new MysqlGtids(gtid)))
  } else {
    client.follow(COM_BINLOG_DUMP, afterPlace(reader, client.mariadb && gtid ? ANYWHERE : position))
  }
}

/** MariaDB looks at what the session said. */
const ANYWHERE = { file: '', pos: 4 }

/** @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_binlog_dump.html */
function afterPlace(reader: number, { file, pos }: { file: string; pos: number }): Buffer {
  const head = Buffer.alloc(10)
  head.writeUInt32LE(pos % 2 ** 32, 0)
  head.writeUInt32LE(reader, 6)
  return Buffer.concat([head, Buffer.from(file)])
}

/** @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_binlog_dump_gtid.html */
function afterTransactions(reader: number, gtids: MysqlGtids): Buffer {
  const set = gtids.encode()
  const head = Buffer.alloc(22)
  head.writeUInt16LE(THROUGH_GTID, 0)
  head.writeUInt32LE(reader, 2)
  head.writeBigUInt64LE(4n, 10)
  head.writeUInt32LE(set.length, 18)
  return Buffer.concat([head, set])
}

function ended(packet: ReturnType<MysqlClient['reader']['cursor']>, kind: number | undefined) {
  packet.at += 1
  if (kind === 0xff) return serverError(packet)
  return new AirbyteError('CONNECTION_LOST', 'The server ended the binlog.')
}

/** The server has one number for everything that stops a reader; what it says tells them apart. */
function lost(error: unknown, place: string): unknown {
  if (!(error instanceof MysqlServerError) || error.errno !== 1236) return error
  if (/same server[_ ](uuid|id)/i.test(error.message)) {
    return new AirbyteError('CONNECTION_LOST', `MySQL: ${error.message}`, { cause: error })
  }
  return new AirbyteError(
    'CDC_POSITION_LOST',
    `The server has no binlog from ${place} on: ${error.message}`,
    {
      hint: 'Refresh all streams of the connection. Keep the binlog for longer (binlog_expire_logs_seconds) than syncs may pause.',
      cause: error,
    },
  )
}
