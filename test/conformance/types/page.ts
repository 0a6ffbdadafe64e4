import type { EndName } from './case.ts'
import { COERCIONS, type Coercion } from './coercions.ts'

/** What columns one source's types become, as the destinations themselves call them. */
export interface TypesOfSource {
  from: Coercion['from']
  title: string
  /** By declaration. */
  columns: Map<string, Record<'postgres' | 'mysql' | 'Parquet', string>>
}

const INTRODUCTION = `# Types: what becomes of every value

Written by \`test/conformance/types\`, which sends every type of both databases, with the values that break things, into every destination by a snapshot and by the log, and reads them back by the destinations' own means. Change it there: \`npm test -- test/conformance/types -u\`.

What is said of MariaDB was the same on MySQL 9.7.4, and of MySQL 8.0.15 as a source; they have no \`uuid\`, \`inet4\` and \`inet6\`. MySQL's \`vector\` is bytes like a geometry: four for each number.

Every value arrives as it was (a timestamp with a zone as the same moment, in UTC), but for those below. What is null or truncated is recorded in \`_airbyte_meta.changes\` of its row, as \`NULLED\` or \`TRUNCATED\`, and counted in the sync's receipt; in a key or cursor column the row goes to the rejects instead.

A text of PostgreSQL that is not UTF-8 (its database is in \`SQL_ASCII\` and the text in some other encoding, or bytes were put there by force) is null, recorded. Where a read would have to go on from it, since it is the primary key or the cursor, the stream fails with \`SOURCE_MISCONFIGURED\`.

A destination in PostgreSQL needs a database in UTF8: check, plan and first sync refuse any other, \`SQL_ASCII\` too, with \`VALIDATION_FAILED\`. Streams that such a database has from an earlier version go on.

Files in JSON Lines and CSV have numbers as numbers with all their digits, times as ISO 8601, binary values as base64, and everything else as text or JSON.
`

/** docs/types.md */
export const pageOf = (sources: TypesOfSource[]): string =>
  [INTRODUCTION, ...sources.map(sectionOf)].join('\n')

function sectionOf({ from, title, columns }: TypesOfSource): string {
  const rows = new Map<string, string[]>()
  for (const [declared, { postgres, mysql, Parquet }] of columns) {
    const ends = [postgres === declared ? 'the same' : code(postgres), code(mysql), code(Parquet)]
    const line = ends.join(' | ')
    rows.set(line, [...(rows.get(line) ?? []), code(declared)])
  }
  return `## From ${title}
| ${title} | PostgreSQL | MySQL | Parquet |
|---|---|---|---|
${[...rows].map(([line, types]) => `| ${types.join(', ')} | ${line} |`).join('\n')}

| value | into | becomes | why |
|---|---|---|---|
${COERCIONS.filter((coercion) => coercion.from === from)
  .map(coercionLine)
  .join('\n')}
`
}

function coercionLine({ values, into, becomes, recorded, why }: Coercion): string {
  const list = Object.entries(values).map(
    ([type, some]) => `${code(type)} ${some.map((value) => code(short(value))).join(', ')}`,
  )
  const what = becomes === undefined ? 'null' : code(becomes)
  const noted = recorded === 'TRUNCATED' ? `${what}, truncated` : what
  return `| ${list.join('; ')} | ${placesOf(into)} | ${noted} | ${why} |`
}

const NAMES: Partial<Record<EndName, string>> = { postgres: 'PostgreSQL', mysql: 'MySQL' }

function placesOf(into: EndName[]): string {
  if (into.length === 5) return 'all'
  const names = into.map((name) => NAMES[name] ?? name).join(', ')
  return names.replace('Parquet, JSONL, CSV', 'files')
}

/** Digits that repeat say nothing. */
const short = (value: string) => value.replaceAll(/(\d)\1{9,}/g, '$1…$1')
const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``
