import type { MockRequest } from '../declarative/mock-api.ts'
import { Collection, hour } from '../declarative/synthetic.ts'
import { DOCUMENT } from './document.ts'

export type Row = Record<string, unknown>

/** The repositories of the mock; the first three belong to an organization, the last to a person. */
export const REPOSITORIES = ['octo-org/alpha', 'octo-org/beta', 'octo-org/gamma', 'hello/world']

/** Days between two rows of a repository: wider than half of the widest look-back. */
const DAYS = 16

/** The time of a repository's n-th row. */
export const timeOf = (place: number, n: number): string => hour(n * DAYS * 24 + place)

/** What distinguishes the row that the document's schema gave. */
export type MakeRow = (n: number, time: string, place: number, sample: Row) => Row

export interface RowOptions {
  /** Where the rows are in the answer: `[workflow_runs]`. */
  at?: string[]
  /** Fields that come only with other media types, or that the manifest replaces. */
  omit?: string[]
  make: MakeRow
  /** `make` gives the whole row, because the document has no one schema for it. */
  whole?: true
  /** Changes a row as GitHub would. */
  edit?(row: Row, time: string): void
}

/** Synthetic rows of a list that each repository has: three in the first, one in the others. */
export class Rows {
  readonly #of: Map<string, Collection<Row>>

  constructor(
    route: string,
    { at, omit = [], make, whole, edit }: RowOptions,
    places = REPOSITORIES,
  ) {
    this.#of = new Map(
      places.map((name, place) => [
        name,
        new Collection<Row>(
          place === 0 ? 3 : 1,
          (n) => {
            const sample = whole ? {} : DOCUMENT.sample(route, n, at)
            const row: Row = { ...sample, ...make(n, timeOf(place, n), place, sample) }
            for (const field of omit) delete row[field]
            return row
          },
          (row, n) => edit?.(row, timeOf(place, n)),
        ),
      ]),
    )
  }

  /** A copy, so that what the server does to it stays there. */
  in(place: string): Row[] {
    return [...(this.#of.get(place)?.rows ?? [])]
  }

  get count(): number {
    return [...this.#of.values()].reduce((sum, { rows }) => sum + rows.length, 0)
  }

  grow = (): void => this.#first.grow()

  touch(index = 0): void {
    this.#first.touch(index)
  }

  get #first(): Collection<Row> {
    return this.#of.values().next().value as Collection<Row>
  }
}

/** A whole number that no other row of the kind has. */
export const idOf = (n: number, place: number): number => (place + 1) * 1000 + n

/** The repository that a request is about. */
export const placeOf = ({ params }: MockRequest): string => `${params.owner}/${params.repo}`
