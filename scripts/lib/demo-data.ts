import { readFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import type { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

interface Table {
  name: string
  ddl: string
  rows: unknown[][]
}

/** Fills an empty database with three tables of vega-datasets; returns the number of rows of each. */
export async function loadDemoData(client: Client): Promise<Record<string, number>> {
  const tables = [movies(), flights(), airports()]
  for (const { name, ddl, rows } of tables) {
    await client.query(`CREATE TABLE ${name} (${ddl})`)
    await pipeline(rows.map(copyLine), client.query(copyFrom(`COPY ${name} FROM STDIN`)))
  }
  return Object.fromEntries(tables.map(({ name, rows }) => [name, rows.length]))
}

/** When the data set was last changed, as its own rows say; later changes get the database's clock. */
const LOADED_AT = '2026-01-01T00:00:00Z'

function movies(): Table {
  const rows = json('movies.json').map((movie, i) => [
    i + 1,
    movie.Title === null ? null : String(movie.Title),
    movie['Release Date'],
    movie['MPAA Rating'],
    movie.Director,
    movie['Worldwide Gross'],
    movie['IMDB Rating'],
    JSON.stringify({ genre: movie['Major Genre'], source: movie.Source }),
    LOADED_AT,
  ])
  const ddl = `id integer PRIMARY KEY, title text, released text, rating text, director text,
    worldwide_gross bigint, imdb_rating numeric(3,1), tags jsonb, updated_at timestamptz NOT NULL`
  return { name: 'movies', ddl, rows }
}

function flights(): Table {
  const rows = json('flights-20k.json').map((flight, i) => [
    i + 1,
    flight.date,
    flight.origin,
    flight.destination,
    flight.distance,
    flight.delay,
    LOADED_AT,
  ])
  const ddl = `id bigint PRIMARY KEY, departed_at timestamp NOT NULL, origin text, destination text,
    distance integer, delay_minutes integer, updated_at timestamptz NOT NULL`
  return { name: 'flights', ddl, rows }
}

function airports(): Table {
  const rows = read('airports.csv')
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => [...csvFields(line), LOADED_AT])
  const ddl = `iata text PRIMARY KEY, name text, city text, state text, country text,
    latitude double precision, longitude double precision, updated_at timestamptz NOT NULL`
  return { name: 'airports', ddl, rows }
}

function read(file: string): string {
  const { href } = new URL(`../data/${file}`, import.meta.resolve('vega-datasets'))
  return readFileSync(fileURLToPath(href), 'utf8')
}

const json = (file: string) => JSON.parse(read(file)) as Record<string, unknown>[]

/** One line of the data set's CSV: quotes around some fields, none inside them. */
const csvFields = (line: string) =>
  [...line.matchAll(/(?:"([^"]*)"|([^,]*))(?:,|$)/g)].slice(0, 7).map(([, a, b]) => a ?? b)

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

const copyLine = (row: unknown[]) =>
  `${row
    .map((v) => (v == null ? '\\N' : String(v).replaceAll(/[\\\t\n\r]/g, (c) => ESCAPES[c] ?? c)))
    .join('\t')}\n`
