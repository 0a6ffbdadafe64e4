import type { JsonObject, JsonValue } from '../../../../src/protocol/index.ts'
import type { MockAnswer, MockRequest } from '../declarative/mock-api.ts'
import { hourMs } from '../declarative/synthetic.ts'

/** Fewer than asked for, as Jira may, so that few rows are several pages. */
const PAGE = 2

/** The parameters that `page` reads. */
export const PAGING = ['startAt', 'maxResults']

export function page({ query }: MockRequest, rows: JsonValue[], list = 'values'): MockAnswer {
  const startAt = Number(query.get('startAt') ?? 0)
  const found = rows.slice(startAt, startAt + PAGE)
  const isLast = startAt + PAGE >= rows.length
  // Comments, worklogs and issues say how many there are, the others also which page is the last.
  const last = list === 'values' ? { isLast } : {}
  return { body: { [list]: found, startAt, maxResults: PAGE, total: rows.length, ...last } }
}

/** Fields that Jira leaves out unless they are asked for, by the name that `expand` has for them. */
export type Expands = Record<string, string>

/** Of fields that are called as they are asked for. */
export const expandsOf = (...names: string[]): Expands =>
  Object.fromEntries(names.map((name) => [name, name]))

export function expanded({ query }: MockRequest, rows: JsonObject[], expands: Expands) {
  const asked = query.get('expand')?.split(',') ?? []
  const absent = Object.keys(expands).filter((name) => !asked.includes(name))
  const fields = absent.map((name) => expands[name])
  return rows.map(
    (row) =>
      Object.fromEntries(
        Object.entries(row).filter(([name]) => !fields.includes(name)),
      ) as JsonObject,
  )
}

const JQL = /^updated >= (\d+) and updated <= (\d+) order by updated asc$/

/** Issues by the time of their last change, in pages by token. */
export function searched({ query }: MockRequest, issues: JsonObject[]): MockAnswer {
  const [, from, to] = JQL.exec(query.get('jql') ?? '') ?? []
  if (from === undefined || to === undefined) throw new Error(`jql is ${query.get('jql')}`)
  const rows = issues
    .filter((issue) => updatedOf(issue) >= Number(from) && updatedOf(issue) <= Number(to))
    .sort((a, b) => updatedOf(a) - updatedOf(b))
  if (Number(to) < hourMs(0)) throw new Error('the window ends before it begins')
  const at = Number(query.get('nextPageToken')?.slice(1) ?? 0)
  const more = at + PAGE < rows.length
  return {
    body: {
      issues: rows.slice(at, at + PAGE),
      ...(more ? { nextPageToken: `p${at + PAGE}`, isLast: false } : { isLast: true }),
    },
  }
}

const BOARD_JQL = /^updated >= (\d+) order by created asc$/

/** Issues of a board or sprint, in pages by number, with the fields that were asked for. */
export function searchedOnBoard(request: MockRequest, issues: JsonObject[]): MockAnswer {
  const jql = request.query.get('jql') ?? ''
  const [, from] = BOARD_JQL.exec(jql) ?? []
  if (from === undefined) throw new Error(`jql is ${jql}`)
  const wanted = request.query.get('fields')?.split(',') ?? []
  const rows = issues
    .filter((issue) => updatedOf(issue) >= Number(from))
    .map(({ id, key, self, expand = '', fields }) => ({
      ...({ id, key, self, expand } as JsonObject),
      fields: Object.fromEntries(
        Object.entries(fields as JsonObject).filter(([name]) => wanted.includes(name)),
      ),
    }))
  return page(request, rows, 'issues')
}

const updatedOf = ({ fields }: JsonObject) => Date.parse(String((fields as JsonObject).updated))
