import { Collection } from './synthetic.ts'

export type Row = Record<string, unknown>

/**
 * Synthetic rows of a list that each of several places has (repositories, projects, shops): three
 * in the first place, one in each of the others.
 */
export class PlacedRows {
  readonly #of: Map<string, Collection<Row>>

  /**
   * @param make the n-th row of a place
   * @param edit changes a row as the vendor would, at the time of an n-th row
   */
  constructor(
    places: string[],
    make: (n: number, place: number) => Row,
    edit?: (row: Row, n: number, place: number) => void,
  ) {
    this.#of = new Map(
      places.map((name, place) => [
        name,
        new Collection<Row>(
          place === 0 ? 3 : 1,
          (n) => make(n, place),
          (row, n) => edit?.(row, n, place),
        ),
      ]),
    )
  }

  get places(): string[] {
    return [...this.#of.keys()]
  }

  /** A copy, so that what a server does to it stays there. */
  in(place: string): Row[] {
    return [...(this.#of.get(place)?.rows ?? [])]
  }

  get count(): number {
    return [...this.#of.values()].reduce((sum, { rows }) => sum + rows.length, 0)
  }

  /** Adds three rows in the first place. */
  grow = (): void => this.#first.grow()

  /** Changes a row in the first place. */
  touch(index = 0): void {
    this.#first.touch(index)
  }

  get #first(): Collection<Row> {
    return this.#of.values().next().value as Collection<Row>
  }
}

/** What stands under each row of a list: several rows under the very first, one under the others. */
export class ChildRows {
  readonly #parents: PlacedRows
  readonly #key: string
  readonly #most: number
  readonly #make: (n: number, number: number) => Row
  readonly #of = new Map<string, Row[]>()

  /**
   * @param key the parents' field that tells them apart
   * @param make the n-th row of its parent; `number` is its own among all
   * @param most rows under the very first
   */
  constructor(
    parents: PlacedRows,
    key: string,
    make: (n: number, number: number) => Row,
    most = 3,
  ) {
    this.#parents = parents
    this.#key = key
    this.#most = most
    this.#make = make
  }

  /** Undefined where there is no such parent. */
  find(place: string, value: string | undefined): Row[] | undefined {
    const rows = this.#parents.in(place)
    const at = rows.findIndex((row) => String(row[this.#key]) === value)
    return at === -1 ? undefined : this.#under(place, at)
  }

  get count(): number {
    const { places } = this.#parents
    return places.flatMap((place) =>
      this.#parents.in(place).flatMap((_parent, at) => this.#under(place, at)),
    ).length
  }

  /** The first one of the newest parent in the first place. */
  newest(): Row {
    const [place = ''] = this.#parents.places
    return this.#under(place, this.#parents.in(place).length - 1)[0] as Row
  }

  /** Made when they are asked for, in whatever order that is. */
  #under(place: string, at: number): Row[] {
    const where = this.#parents.places.indexOf(place)
    const first = where * 1000 + at * 10
    const known =
      this.#of.get(`${place} ${at}`) ??
      Array.from({ length: first === 0 ? this.#most : 1 }, (_, n) => this.#make(n, first + n))
    this.#of.set(`${place} ${at}`, known)
    return known
  }
}

/** Days between two rows of a place: wider than half of the widest look-back. */
const DAYS = 16

/** The hour of a place's n-th row, see `hour`. */
export const hourOf = (n: number, place: number): number => n * DAYS * 24 + place

/** A whole number that no other row of the kind has. */
export const idOf = (n: number, place: number): number => (place + 1) * 1000 + n
