import { describe, expect, it } from 'vitest'
import { filterProblems, queryProblems } from './document.ts'
import { parseQuery } from './query.ts'

const problems = (text: string) => queryProblems(parseQuery(text))
const PAGE = 'pageInfo { hasNextPage endCursor }'

describe("Linear's schema", () => {
  it('has nothing against a query that it knows', () => {
    const text = `query ($first: Int!, $filter: IssueFilter) { page: issues(first: $first, filter: $filter) {
      nodes { id title creator { id email } } ${PAGE} } }`
    expect(problems(text)).toEqual([])
  })

  it('knows connections, arguments, their types and fields', () => {
    expect(
      problems(`query ($a: Int!) { page: isues(first: $a) { nodes { id } ${PAGE} } }`),
    ).toEqual(['there is no connection isues'])
    const text = `query ($a: String, $b: Int!) { page: issues(frist: $b, after: $b, filter: $a) {
      nodes { id nme title { id } creator } ${PAGE} } }`
    expect(problems(text)).toEqual([
      'issues takes no frist',
      'issues takes after as String, not as Int',
      'issues takes filter as IssueFilter, not as String',
      'Issue has no nme',
      'Issue.title is no object',
      'Issue.creator is an object',
    ])
  })

  it('knows filters to any depth', () => {
    expect(filterProblems('IssueFilter', { updatedAt: { gte: 'P1D' } })).toEqual([])
    expect(filterProblems('IssueFilter', { updatedAt: { since: 'P1D' } })).toEqual([
      'DateComparator has no since',
    ])
  })
})
