import type pg from 'pg'
import { type Batch, childOf, rowsOf } from '../../../src/protocol/index.ts'
import { type Layout, layoutFor } from '../../../src/runtime/loading/layout.ts'
import type { SinkTable } from '../../../src/runtime/loading/rows.ts'
import { encode, Sink } from './sink.ts'

/** Where the rows of a stream and of its children go, by the tables' places in the plan. */
export interface FamilyTables {
  own: SinkTable
  children: SinkTable[]
}

export const sinkFor = ({ own, children }: FamilyTables, child: number | undefined): SinkTable =>
  child === undefined ? own : (children[child] as SinkTable)

/** Writes batches to the tables that they belong to. A connection has one COPY at a time. */
export class FamilySink {
  private readonly client: pg.Client
  private readonly layout: Layout
  private readonly tables: FamilyTables
  private readonly sinks = new Map<SinkTable, Sink>()
  private open: Sink | null = null

  constructor(client: pg.Client, layout: Layout, tables: FamilyTables) {
    this.client = client
    this.layout = layout
    this.tables = tables
  }

  async write(batch: Batch): Promise<void> {
    if (rowsOf(batch) === 0) return
    const child = childOf(batch)
    const table = sinkFor(this.tables, child)
    const sink = this.sinks.get(table) ?? new Sink(this.client, table)
    this.sinks.set(table, sink)
    if (this.open !== sink) await this.open?.flush()
    this.open = sink
    await sink.write(encode(layoutFor(this.layout, child), table, batch))
  }

  /** Resolves with the rows that PostgreSQL took into the stream's own table. */
  async end(): Promise<number> {
    await this.open?.flush()
    return (await this.sinks.get(this.tables.own)?.end()) ?? 0
  }

  /** Ends a running COPY so that the transaction can be rolled back. */
  async cancel(): Promise<void> {
    await this.open?.cancel()
  }
}
