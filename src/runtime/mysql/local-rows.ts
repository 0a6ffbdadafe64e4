import { Buffer } from 'node:buffer'
import type { ConnectorSocket } from '../contract.ts'
import { serverError } from './errors.ts'
import { connectionClosed, type PacketReader } from './packet-reader.ts'
import { framed, type PacketCursor } from './wire.ts'

/** What a statement did. */
export interface Outcome {
  rows: number
  /** Of values that were bent to fit; as many as the protocol counts. */
  warnings: number
}

/** The next packet. Rejects with what the server says. */
export async function answerOf(reader: PacketReader): Promise<PacketCursor> {
  const packet = await reader.next()
  if (packet.bytes[packet.at] !== 0xff) return packet
  packet.at++
  throw serverError(packet)
}

/** @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html */
export function outcomeOf(packet: PacketCursor): Outcome {
  packet.at++
  const rows = packet.length() ?? 0
  packet.length()
  packet.at += 2
  return { rows, warnings: packet.uint(2) }
}

/** The rows of a running LOAD DATA LOCAL. The server takes them all, even after it found one that it refuses. */
export class LocalRows {
  readonly #socket: ConnectorSocket
  readonly #reader: PacketReader
  #sequence: number

  constructor(socket: ConnectorSocket, reader: PacketReader) {
    this.#socket = socket
    this.#reader = reader
    this.#sequence = reader.sequence + 1
  }

  /** Resolves when the socket has room for more. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PART) {
      await this.#send(bytes.subarray(at, at + PART))
    }
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const socket = this.#socket
    if (socket.destroyed) throw socket.errored ?? connectionClosed()
    if (socket.write(framed(bytes, this.#sequence++))) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const ended = () => reject(socket.errored ?? connectionClosed())
    socket.once('drain', resolve).once('error', ended).once('close', ended)
    await promise.finally(() =>
      socket.off('drain', resolve).off('error', ended).off('close', ended),
    )
  }

  async end(): Promise<Outcome> {
    this.#socket.write(framed(Buffer.alloc(0), this.#sequence))
    return outcomeOf(await answerOf(this.#reader))
  }
}

/** No server takes less in one packet. */
const PART = 512 * 1024
