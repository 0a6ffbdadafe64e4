import type { Cell, Column, ElementTable, RecordBatch, RecordChange } from '../../protocol/index.ts'
import type { ChildTable, ValueLimits } from '../../runtime/contract.ts'
import { jsonCell } from '../../runtime/formats/json-cell.ts'
import { elementsIn, membersOf } from '../../runtime/formats/jsonl-read.ts'
import { type RowIds, rowIdsOf } from '../../runtime/row-ids.ts'
import { coerceToLimits } from './coerce.ts'
import { elementName, tableColumns, tablesIn } from './elements.ts'
import { flatten } from './flatten.ts'
import { flatColumns } from './members.ts'
import { noteUnknown } from './unknown-fields.ts'

/** Rows of a child table in one batch, at most. */
const ROWS = 2000
/** Characters of JSON past which a batch ends, too. */
const CHARACTERS = 1 << 20

interface Options {
  /** Names the chunk: row ids follow from it. */
  chunk: string
  /** As they are before arrays leave them. */
  columns: Column[]
  children: ChildTable[]
  limits: ValueLimits
}

/**
 * Takes the arrays of a chunk's rows apart: rows get ids, an array leaves the number of its elements,
 * and its elements come after, as batches of the child table. Batches of one chunk pass in their order.
 */
export class Nesting {
  nulled = 0
  readonly unknown = new Set<string>()
  /** Rows so far, of the stream's own table and of each child. */
  rows = 0
  readonly childRows: number[]
  readonly #options: Options
  readonly #ids: RowIds
  readonly #tables: Map<string, { index: number; ids: RowIds }>

  constructor(options: Options) {
    this.#options = options
    const { chunk, columns, children } = options
    this.childRows = children.map(() => 0)
    this.#ids = rowIdsOf(chunk)
    this.#tables = new Map(
      tablesIn(columns).map(({ table }, index) => [
        table,
        { index, ids: rowIdsOf(`${chunk}/${table}`) },
      ]),
    )
  }

  /** @param batch rows with objects flattened and arrays as JSON, fitted to their columns */
  *split(batch: RecordBatch): Generator<RecordBatch> {
    const rowIds = Array.from({ length: batch.length }, (_, row) => this.#ids.text(this.rows + row))
    this.rows += batch.length
    yield { ...counted(batch), rowIds }
    yield* this.#children(batch, rowIds, rowIds)
  }

  *#children(batch: RecordBatch, rowIds: string[], rootIds: string[]): Generator<RecordBatch> {
    for (const [c, { name, elements }] of batch.schema.entries()) {
      const table = elements && this.#tables.get(elements.table)
      if (!elements || !table) continue
      let open = new Elements(elements, name)
      for (let row = 0; row < batch.length; row++) {
        const cell = batch.columns[c]?.[row]
        if (typeof cell !== 'string') continue
        let place = 0
        for (const text of elementsIn(cell)) {
          open.add(text, rowIds[row] as string, rootIds[row] as string, place++)
          if (!open.isFull) continue
          yield* this.#table(table, batch, open)
          open = new Elements(elements, name)
        }
      }
      if (open.length > 0) yield* this.#table(table, batch, open)
    }
  }

  *#table(
    { index, ids }: { index: number; ids: RowIds },
    { stream, extractedAt }: RecordBatch,
    found: Elements,
  ): Generator<RecordBatch> {
    const { limits } = this.#options
    const { columns } = found.table
    for (const field of found.unknown) noteUnknown(this.unknown, field)
    const read: RecordBatch = {
      ...{ kind: 'records', stream, extractedAt, schema: columns, length: found.length },
      ...{ columns: found.cells, jsonIsSound: true as const },
      ...(found.changes.length > 0 ? { changes: found.changes } : {}),
    }
    const fitted = coerceToLimits(read, columns, limits, [])
    const flat = flatten({ ...fitted.batch, schema: columns })
    for (const field of flat.unknownFields) noteUnknown(this.unknown, `${found.name}[].${field}`)
    const whole = coerceToLimits(flat.batch, flatColumns(columns), limits, [])
    this.nulled += found.changes.length + fitted.nulled + whole.nulled
    const from = this.childRows[index] ?? 0
    this.childRows[index] = from + found.length
    const rowIds = Array.from({ length: found.length }, (_, row) => ids.text(from + row))
    const own = counted(whole.batch)
    yield {
      ...own,
      schema: this.#options.children[index]?.columns ?? [],
      columns: [found.parents, found.roots, found.places, ...own.columns],
      ...(own.changes && {
        changes: own.changes.map((change) => ({ ...change, field: elementName(change.field) })),
      }),
      child: index,
      rowIds,
    }
    yield* this.#children(whole.batch, rowIds, found.roots)
  }
}

/** The batch with the numbers of their elements in the place of arrays that have a table. */
function counted(batch: RecordBatch): RecordBatch {
  const counts = new Map(
    batch.schema.flatMap(({ name, elements }) => (elements ? [[name, elements.count]] : [])),
  )
  if (counts.size === 0) return batch
  return {
    ...batch,
    schema: tableColumns(batch.schema),
    columns: batch.schema.map(({ elements }, c) => {
      const cells = batch.columns[c] ?? []
      return elements ? cells.map(elementCount) : cells
    }),
    ...(batch.changes && {
      changes: batch.changes.map((change) => ({
        ...change,
        field: counts.get(change.field) ?? change.field,
      })),
    }),
  }
}

function elementCount(cell: Cell): Cell {
  if (typeof cell !== 'string') return null
  let count = 0
  for (const _ of elementsIn(cell)) count++
  return count
}

/** Elements of arrays as they are gathered: columns of their fields, and whose they are. */
class Elements {
  readonly table: ElementTable
  readonly name: string
  readonly cells: Cell[][]
  readonly parents: string[] = []
  readonly roots: string[] = []
  readonly places: number[] = []
  readonly changes: RecordChange[] = []
  readonly unknown = new Set<string>()
  #characters = 0
  readonly #fields: Map<string, number>

  constructor(table: ElementTable, name: string) {
    this.table = table
    this.name = name
    this.cells = table.columns.map(() => [])
    this.#fields = new Map(table.columns.map((column, c) => [column.name, c]))
  }

  get length(): number {
    return this.places.length
  }

  get isFull(): boolean {
    return this.length >= ROWS || this.#characters >= CHARACTERS
  }

  add(text: string, parent: string, root: string, place: number): void {
    const row = this.length
    this.parents.push(parent)
    this.roots.push(root)
    this.places.push(place)
    this.#characters += text.length
    for (const cells of this.cells) cells.push(null)
    if (this.table.scalar) this.#set(0, row, text)
    else if (text.startsWith('{')) this.#addMembers(text, row)
    else if (text !== 'null') this.#misfit(row)
  }

  #addMembers(text: string, row: number): void {
    for (const [name, value] of membersOf(text)) {
      const c = this.#fields.get(name)
      if (c === undefined) noteUnknown(this.unknown, `${this.name}[].${name}`)
      else this.#set(c, row, value)
    }
  }

  #set(c: number, row: number, text: string): void {
    const cells = this.cells[c] as Cell[]
    cells[row] = jsonCell(this.table.columns[c] as Column, text)
  }

  /** Something else stands in the place of an object. */
  #misfit(row: number): void {
    for (const { name } of this.table.columns) {
      this.changes.push({
        row,
        field: name,
        change: 'NULLED',
        reason: 'DESTINATION_TYPECAST_ERROR',
      })
    }
  }
}
