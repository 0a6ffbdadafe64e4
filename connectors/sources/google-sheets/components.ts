import {
  type CustomComponents,
  custom,
  type RecordData,
} from '../../../src/runtime/declarative/custom/index.ts'

/** Two ranges of a sheet: the row of names, and rows under it. */
interface Answered {
  valueRanges?: { values?: unknown[][] }[]
}

/**
 * Rows as objects by the names in the first row. All values are texts: a column of a sheet has no
 * type. Columns without a name are left out, of several with one name the first counts.
 */
export const components: CustomComponents = {
  'source_google_sheets.components.RowsByHeader': custom(
    'recordExtractor',
    (_component, { env }) =>
      ({ json }) => {
        const [names, rows] = ((json ?? {}) as Answered).valueRanges ?? []
        const columns = columnsOf(names?.values?.[0] ?? [], (message) =>
          env.ctx.log('warn', `${env.stream}: ${message}`),
        )
        return (rows?.values ?? []).flatMap((row) => recordOf(row, columns))
      },
  ),
}

function columnsOf(header: unknown[], warn: (message: string) => void): [string, number][] {
  const columns = new Map<string, number>()
  for (const [index, cell] of header.entries()) {
    const name = String(cell ?? '').trim()
    if (name === '') continue
    if (columns.has(name)) warn(`two columns are called '${name}'; the second is left out.`)
    else columns.set(name, index)
  }
  return [...columns]
}

/** An empty row is none; an empty cell is null. */
function recordOf(row: unknown[], columns: [string, number][]): RecordData[] {
  const cells = columns.map(([name, index]): [string, string | null] => {
    const cell = row[index]
    return [name, cell === undefined || cell === null || cell === '' ? null : String(cell)]
  })
  return cells.some(([, cell]) => cell !== null) ? [Object.fromEntries(cells) as RecordData] : []
}
