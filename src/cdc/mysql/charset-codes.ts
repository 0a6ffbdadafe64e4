/** Character sets that are not Unicode: the letters that a server has for their codes. */
import type { Buffer } from 'node:buffer'
import type { MysqlClient } from '../../runtime/mysql/client.ts'
import type { DecodeText } from './charsets.ts'

/** What the codes of one, two and three bytes mean. */
export interface Codes {
  one: (string | undefined)[]
  two: Map<number, string>
  three: Map<number, string>
  /** The first 128 codes are ASCII. */
  isAscii: boolean
}

/** Asks the server, as a query would convert them: 256 codes, or some 24,000. */
export async function readCodes(client: MysqlClient, charset: string): Promise<Codes> {
  const [[width] = []] = await client.query(
    `SELECT MAXLEN FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME = '${charset}'`,
  )
  const read = (parts: number[][]) => readTexts(client, charset, parts)
  const one: Codes['one'] = new Array(256).fill(undefined)
  for (const [code, text] of await read([bytes(0, 255)])) one[code] = text
  const leads = bytes(0x80, 255).filter((byte) => one[byte] === undefined)
  const isWide = Number(width) > 1 && leads.length > 0
  return {
    one,
    two: isWide ? await read([leads, bytes(0x30, 255)]) : new Map(),
    three: Number(width) === 3 ? await read([[0x8f], EUC, EUC]) : new Map(),
    isAscii: one.slice(0, 128).every((text, code) => text === String.fromCharCode(code)),
  }
}

const bytes = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** Bytes of EUC's letters. */
const EUC = bytes(0xa1, 0xfe)

/** Of every combination of these bytes the letter that it is; those that are none are left out. */
async function readTexts(
  client: MysqlClient,
  charset: string,
  parts: number[][],
): Promise<Map<number, string>> {
  const names = parts.map((_, i) => `p${i}`)
  const tables = parts.map((part, i) => `(${part.map(hexRow).join(' UNION ALL ')}) ${names[i]}`)
  const rows = await client.query(
    `SELECT h, CONVERT(CONVERT(UNHEX(h) USING ${charset}) USING utf8mb4)
     FROM (SELECT CONCAT(${names.map((name) => `${name}.h`).join(', ')}) AS h
       FROM ${tables.join(' CROSS JOIN ')}) codes`,
  )
  const texts = new Map<number, string>()
  for (const [hex, text] of rows) {
    const isLetter = text != null && [...text].length === 1 && (text !== '?' || hex === '3F')
    if (isLetter) texts.set(Number.parseInt(String(hex), 16), text)
  }
  return texts
}

const hexRow = (byte: number) => `SELECT '${byte.toString(16).padStart(2, '0').toUpperCase()}' AS h`

/** GB 18030 has a code of four bytes for every other letter of Unicode, by a rule. */
const gb18030 = new TextDecoder('gb18030')

/** @param ascii reads texts that have nothing but ASCII */
export function decoderOf({ one, two, three, isAscii }: Codes, ascii: DecodeText): DecodeText {
  return (bytes, start, end) => {
    if (isAscii && isAsciiText(bytes, start, end)) return ascii(bytes, start, end)
    let text = ''
    for (let at = start; at < end; ) {
      const left = end - at
      const [length, letter] = letterAt(bytes, at, left)
      text += letter
      at += length
    }
    return text
  }

  function letterAt(bytes: Buffer, at: number, left: number): [length: number, letter: string] {
    const single = one[bytes[at] as number]
    if (single !== undefined) return [1, single]
    const pair = left > 1 ? two.get(bytes.readUIntBE(at, 2)) : undefined
    if (pair !== undefined) return [2, pair]
    const triple = left > 2 ? three.get(bytes.readUIntBE(at, 3)) : undefined
    if (triple !== undefined) return [3, triple]
    const isQuad = left > 3 && three.size === 0 && isDigit(bytes[at + 1]) && isDigit(bytes[at + 3])
    return isQuad ? [4, gb18030.decode(bytes.subarray(at, at + 4))] : [1, '\ufffd']
  }
}

const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39

function isAsciiText(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] as number) > 0x7f) return false
  return true
}
