import type { Cell } from '../../../src/protocol/index.ts'
import type { Standing } from './latest.ts'

/** Characters that are carried at once. */
const ROOM = 8 << 20

/** Of a value that a row left out: where it is, and which column of which row gets it. */
interface Errand {
  from: number
  to: number
  column: number
}

/**
 * Carries values from the rows that have them to the rows that stand and left them out, in one pass
 * over the files. Rows for which there is no room are put off: they are for another pass.
 */
export class Carried {
  private readonly room: number
  private readonly told: Standing['told']
  private readonly errands: Errand[] = []
  private next = 0
  private readonly held = new Map<number, { cells: Map<number, Cell>; size: number }>()
  private size = 0
  private readonly putOff = new Set<number>()

  constructor(told: Standing['told'], room = ROOM) {
    this.told = told
    this.room = room
    for (const [to, places] of told) {
      for (const [column, from] of places.entries()) {
        if (from !== undefined && from >= 0) this.errands.push({ from, to, column })
      }
    }
    this.errands.sort((a, b) => a.from - b.from)
  }

  /** @param columns cells of the rows from `place` on */
  take(columns: Cell[][], place: number, length: number): void {
    for (; ; this.next++) {
      const errand = this.errands[this.next]
      if (!errand || errand.from >= place + length) return
      if (this.putOff.has(errand.to)) continue
      this.hold(errand, columns[errand.column]?.[errand.from - place] ?? null)
    }
  }

  isPutOff = (place: number): boolean => this.putOff.has(place)

  /** The cell of a row that stands, whose own is given. */
  cell(place: number, column: number, own: Cell): Cell {
    if (this.told.get(place)?.[column] === undefined) return own
    return this.held.get(place)?.cells.get(column) ?? null
  }

  drop(place: number): void {
    this.size -= this.held.get(place)?.size ?? 0
    this.held.delete(place)
  }

  /** The only row that something is held for is never put off: each pass completes some. */
  private hold({ to, column }: Errand, cell: Cell): void {
    const size = typeof cell === 'string' ? cell.length : 8
    const others = this.held.size - (this.held.has(to) ? 1 : 0)
    if (others > 0 && this.size + size > this.room) {
      this.drop(to)
      this.putOff.add(to)
      return
    }
    const found = this.held.get(to) ?? { cells: new Map<number, Cell>(), size: 0 }
    this.held.set(to, found)
    found.cells.set(column, cell)
    found.size += size
    this.size += size
  }
}
