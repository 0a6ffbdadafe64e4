import { Buffer } from 'node:buffer'

/**
 * Which transactions were read, by the ids that they have on every server of a group. MariaDB's list has
 * the newest of each domain (`0-1-42`), MySQL's set has ranges of each server (`uuid:1-42:50`).
 */
export interface Gtids {
  add(id: string): void
  toString(): string
}

/** Undoes `toString`. Undefined: it is not known which were read. */
export function gtidsOf(text: string): Gtids | undefined {
  if (text === '') return undefined
  return text.includes(':') ? new MysqlGtids(text) : new MariadbGtids(text)
}

/** @see https://mariadb.com/kb/en/gtid/ */
export class MariadbGtids implements Gtids {
  #newest = new Map<string, string>()

  constructor(text: string) {
    for (const id of text.split(',')) if (id !== '') this.add(id)
  }

  /** As the server writes a list into its log. */
  static decode(bytes: Buffer, start: number, _end: number): MariadbGtids {
    const list = new MariadbGtids('')
    const count = bytes.readUInt32LE(start) & 0xfffffff
    for (let at = start + 4, n = 0; n < count; n++, at += 16) {
      const [domain, server] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)]
      list.add(`${domain}-${server}-${bytes.readBigUInt64LE(at + 8)}`)
    }
    return list
  }

  add(id: string): void {
    const domain = id.slice(0, id.indexOf('-'))
    this.#newest.delete(domain)
    this.#newest.set(domain, id)
  }

  toString(): string {
    return [...this.#newest.values()].join(',')
  }
}

/** From and to, both within. */
type Range = [bigint, bigint]

/** @see https://dev.mysql.com/doc/refman/8.4/en/replication-gtids-concepts.html */
export class MysqlGtids implements Gtids {
  /** Of each server, in ascending order with gaps between. */
  #ranges = new Map<string, Range[]>()

  constructor(text: string) {
    for (const server of text.split(',')) {
      const [uuid = '', ...ranges] = server.trim().toLowerCase().split(':')
      if (uuid === '') continue
      const known = this.#of(uuid)
      for (const range of ranges) {
        const [from = '', to = from] = range.split('-')
        known.push([BigInt(from), BigInt(to)])
      }
    }
  }

  /** As the server prints a set in its log. Undefined: it has tags, which are not read here. */
  static decode(bytes: Buffer, start: number, end: number): MysqlGtids | undefined {
    // With tags this byte is the number of a format.
    if (end - start < 8 || bytes[start + 7] !== 0) return undefined
    const set = new MysqlGtids('')
    let at = start + 8
    for (let servers = Number(bytes.readBigUInt64LE(start)); servers > 0; servers--) {
      const known = set.#of(uuidText(bytes, at))
      let ranges = Number(bytes.readBigUInt64LE(at + 16))
      for (at += 24; ranges > 0; ranges--, at += 16) {
        known.push([bytes.readBigUInt64LE(at), bytes.readBigUInt64LE(at + 8) - 1n])
      }
    }
    return set
  }

  /** What `decode` reads. */
  encode(): Buffer {
    const parts = [uint64(BigInt(this.#ranges.size))]
    for (const [uuid, ranges] of this.#ranges) {
      parts.push(Buffer.from(uuid.replaceAll('-', ''), 'hex'), uint64(BigInt(ranges.length)))
      for (const [from, to] of ranges) parts.push(uint64(from), uint64(to + 1n))
    }
    return Buffer.concat(parts)
  }

  add(id: string): void {
    const [uuid = '', text = '0'] = id.split(':')
    const number = BigInt(text)
    const ranges = this.#of(uuid)
    // Nearly all follow the newest.
    let n = ranges.length
    while (n > 0 && (ranges[n - 1] as Range)[0] > number) n--
    const [before, after] = [ranges[n - 1], ranges[n]]
    if (before && number <= before[1]) return
    const joinsBefore = before?.[1] === number - 1n
    const joinsAfter = after?.[0] === number + 1n
    const joined: Range = [joinsBefore ? before[0] : number, joinsAfter ? after[1] : number]
    ranges.splice(n - Number(joinsBefore), Number(joinsBefore) + Number(joinsAfter), joined)
  }

  #of(uuid: string): Range[] {
    const known = this.#ranges.get(uuid)
    if (known) return known
    const fresh: Range[] = []
    this.#ranges.set(uuid, fresh)
    return fresh
  }

  toString(): string {
    const print = ([from, to]: Range) => (from === to ? `${from}` : `${from}-${to}`)
    return [...this.#ranges]
      .map(([uuid, ranges]) => [uuid, ...ranges.map(print)].join(':'))
      .join(',')
  }
}

/** The id of MySQL's event of one, and of each server in a set. */
export function uuidText(bytes: Buffer, at: number): string {
  let text = ''
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-'
    text += HEX[bytes[at + i] as number]
  }
  return text
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}
