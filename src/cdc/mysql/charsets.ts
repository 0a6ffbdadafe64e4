import type { Buffer } from 'node:buffer'
import type { MysqlClient } from '../../runtime/mysql/client.ts'
import { decoderOf as codeDecoder, readCodes } from './charset-codes.ts'
import type { TableMap } from './table-map.ts'

export type DecodeText = (bytes: Buffer, start: number, end: number) => string

/** Undefined: there is no such collation, or it is one of bytes. */
export type DecoderOf = (collation: number) => DecodeText | undefined

/**
 * The character sets of one server. Texts are in the log as they are stored, and decoders of one
 * name differ from system to system (`sjis` of MySQL is not quite that of browsers), so the server is
 * asked for its own tables, once, when a text needs one.
 */
export class ServerCharsets {
  readonly #byCollation: Map<number, string>
  readonly #decoders = new Map<string, DecodeText>()

  private constructor(byCollation: Map<number, string>) {
    this.#byCollation = byCollation
  }

  static async of(client: MysqlClient): Promise<ServerCharsets> {
    const rows = await client.query(await collationsOf(client))
    return new ServerCharsets(new Map(rows.map(([id, name]) => [Number(id), String(name)])))
  }

  /** Decoders of all the texts in a table. */
  async decodersFor(client: MysqlClient, { columns }: TableMap): Promise<DecoderOf> {
    const nameOf = (collation: number) => this.#byCollation.get(collation)
    for (const { collation } of columns) {
      const name = collation === undefined ? undefined : nameOf(collation)
      if (name === undefined || name === 'binary' || this.#decoders.has(name)) continue
      this.#decoders.set(name, UNICODE[name] ?? codeDecoder(await readCodes(client, name), utf8))
    }
    return (collation) => this.#decoders.get(nameOf(collation) ?? '')
  }
}

/** MariaDB 10.10 and later has collations that several character sets share: here without a number. */
async function collationsOf(client: MysqlClient): Promise<string> {
  const found = await client.query(
    `SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'information_schema'
       AND TABLE_NAME = 'COLLATION_CHARACTER_SET_APPLICABILITY' AND COLUMN_NAME = 'ID'`,
  )
  const table = found.length > 0 ? 'COLLATION_CHARACTER_SET_APPLICABILITY' : 'COLLATIONS'
  return `SELECT ID, CHARACTER_SET_NAME FROM information_schema.${table}`
}

/** Of the bytes behind a text, how many become one string with it. */
const WINDOW = 16 << 10

/**
 * A call of the platform's for each text costs more than all else about a row. So texts of ASCII are
 * cut from one string of the bytes around them.
 */
function utf8Reader(): DecodeText {
  let source: Buffer | undefined
  let from = 0
  let window = ''
  return (bytes, start, end) => {
    if (end - start > WINDOW) return bytes.toString('utf8', start, end)
    for (let at = start; at < end; at++) {
      if ((bytes[at] as number) > 0x7f) return bytes.toString('utf8', start, end)
    }
    if (bytes !== source || start < from || end > from + window.length) {
      source = bytes
      from = start
      window = bytes.toString('latin1', start, start + WINDOW)
    }
    return window.slice(start - from, end - from)
  }
}

/** One for all columns: they lie side by side. */
const utf8 = utf8Reader()

function platformDecoder(label: string): DecodeText {
  const decoder = new TextDecoder(label, { ignoreBOM: true, fatal: false })
  return (bytes, start, end) => decoder.decode(bytes.subarray(start, end))
}

const utf32: DecodeText = (bytes, start, end) => {
  let text = ''
  for (let at = start; at < end; at += 4) text += String.fromCodePoint(bytes.readUInt32BE(at))
  return text
}

/** There are no two opinions about these. */
const UNICODE: Record<string, DecodeText | undefined> = {
  utf8,
  utf8mb3: utf8,
  utf8mb4: utf8,
  ucs2: platformDecoder('utf-16be'),
  utf16: platformDecoder('utf-16be'),
  utf16le: platformDecoder('utf-16le'),
  utf32,
}
