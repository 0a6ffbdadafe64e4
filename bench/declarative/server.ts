/**
 * `GET /people?page=3&per_page=100&total=500000`: pages of records with nested objects. A process of
 * its own, so that its cost is not the engine's; a page is a text made once into which ids are written.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const PAGE_SIZE = 100
const CITIES = ['Porto', 'Kraków', 'Kyoto', 'Lima', 'Oslo', 'Accra', 'Hanoi', 'Quito']
/** All ids have as many digits. */
const FIRST_ID = 100_000_000
const NEXT_RECORD = '{"id":'

const page = Buffer.from(
  JSON.stringify({ data: Array.from({ length: PAGE_SIZE }, (_, i) => person(i)) }),
)
const ids = Array.from({ length: PAGE_SIZE }).reduce<number[]>((found) => {
  const from = found.at(-1) ?? 0
  return [...found, page.indexOf(NEXT_RECORD, from) + NEXT_RECORD.length]
}, [])

const server = createServer((request, response) => {
  const query = new URL(request.url ?? '/', 'http://localhost').searchParams
  const before = (Number(query.get('page') ?? 1) - 1) * PAGE_SIZE
  const body = pageAfter(before, Math.min(PAGE_SIZE, Number(query.get('total')) - before))
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})

function pageAfter(before: number, count: number): Buffer {
  if (count <= 0) return Buffer.from('{"data":[]}')
  const copy = Buffer.from(page)
  for (const [i, at] of ids.entries()) copy.write(String(FIRST_ID + before + i), at, 'latin1')
  const next = ids[count]
  if (next === undefined) return copy
  // Without the comma and the beginning of the record after the last.
  return Buffer.concat([copy.subarray(0, next - NEXT_RECORD.length - 1), Buffer.from(']}')])
}

function person(i: number) {
  return {
    id: FIRST_ID + i,
    name: `Person ${i} of the Page`,
    email: `person.${i}@example.test`,
    active: true,
    balance: 1000 + i / 8,
    visits: i * 37,
    created_at: `2026-0${1 + (i % 9)}-11T08:0${i % 10}:12Z`,
    updated_at: `2026-0${1 + (i % 9)}-19T21:3${i % 10}:48.${100 + i}Z`,
    address: {
      street: `${i} Long Street`,
      city: CITIES[i % CITIES.length],
      geo: { lat: 41.1 + i / 64, lng: -8.6 - i / 64 },
    },
    tags: ['customer', `tier-${i % 3}`],
    orders: [{ sku: `A-${i}`, quantity: 1 + (i % 4), price: { amount: 12.5, currency: 'EUR' } }],
    internal: { shard: i % 16, checksum: 'f00dfeed' },
  }
}
