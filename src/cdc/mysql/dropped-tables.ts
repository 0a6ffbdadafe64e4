import type { StreamKey } from '../../protocol/index.ts'
import type { Meaning } from './statement.ts'

/** Which tables are wanted. */
export interface DatabaseTables {
  streamOf(schema: string, name: string): StreamKey | undefined
  /** The streams of all that are wanted of a database. */
  streamsIn(schema: string): StreamKey[]
}

/**
 * Tables that are not there at this place of the log. CREATE TABLE IF NOT EXISTS is in the log whether it
 * made a table or found one: only who saw the old one go knows which.
 */
export class DroppedTables {
  readonly #wanted: DatabaseTables
  readonly #gone: Set<StreamKey>

  constructor(wanted: DatabaseTables, gone: StreamKey[]) {
    this.#wanted = wanted
    this.#gone = new Set(gone)
  }

  get streams(): StreamKey[] {
    return [...this.#gone]
  }

  /** Follows what a statement does to tables; returns whether it made one that was not there. */
  follow(meaning: Meaning): boolean {
    switch (meaning.kind) {
      case 'truncate':
      case 'made':
        return this.#there(meaning)
      case 'otherRows':
        for (const table of meaning.tables) this.#there(table)
        this.#leave(meaning.gone)
        return false
      case 'dropped':
        this.#leave(meaning.gone)
        return false
      case 'databaseGone':
        for (const stream of this.#wanted.streamsIn(meaning.schema)) this.#gone.add(stream)
    }
    return false
  }

  #leave(tables: { schema: string; name: string }[]): void {
    for (const { schema, name } of tables) {
      const stream = this.#wanted.streamOf(schema, name)
      if (stream) this.#gone.add(stream)
    }
  }

  #there({ schema, name }: { schema: string; name: string }): boolean {
    const stream = this.#wanted.streamOf(schema, name)
    return stream !== undefined && this.#gone.delete(stream)
  }
}
