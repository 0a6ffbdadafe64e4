import type { MockAnswer } from '../declarative/mock-api.ts'

/** Rows a page, whatever was asked for, so that few rows are several pages. */
export const PAGE = 2
export const PAGING = ['per_page', 'page']

/** An error as GitHub words it. */
export const problem = (status: number, message: string): MockAnswer => ({
  status,
  body: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) },
})

export const NOT_FOUND: MockAnswer = problem(404, 'Not Found')
