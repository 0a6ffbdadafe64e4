import type { MockRequest } from '../declarative/mock-api.ts'
import { hourOf, PlacedRows, type Row } from '../declarative/placed-rows.ts'
import { hour } from '../declarative/synthetic.ts'
import { DOCUMENT } from './document.ts'

/** The repositories of the mock; the first three belong to an organization, the last to a person. */
export const REPOSITORIES = ['octo-org/alpha', 'octo-org/beta', 'octo-org/gamma', 'hello/world']

/** The time of a repository's n-th row. */
export const timeOf = (place: number, n: number): string => hour(hourOf(n, place))

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

/** Synthetic rows in the shape that GitHub's document gives the answer of a route. */
export function documentedRows(
  route: string,
  { at, omit = [], make, whole, edit }: RowOptions,
  places: string[],
): PlacedRows {
  return new PlacedRows(
    places,
    (n, place) => {
      const sample = whole ? {} : DOCUMENT.sample(route, n, at)
      const row: Row = { ...sample, ...make(n, timeOf(place, n), place, sample) }
      for (const field of omit) delete row[field]
      return row
    },
    (row, n, place) => edit?.(row, timeOf(place, n)),
  )
}

/** The repository that a request is about. */
export const placeOf = ({ params }: MockRequest): string => `${params.owner}/${params.repo}`
