import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { MockAnswer } from '../declarative/mock-api.ts'
import type { MockedApi } from '../declarative/suite.ts'
import { expanded, PAGING, page, searchedOnBoard } from './answers.ts'
import type { Site } from './site.ts'

const TYPES = ['scrum', 'kanban', 'simple', 'simple']
/** By board: the last one is of a team that works without sprints, and has no columns. */
const SPRINTS = [3, 0, 1, 0]

const refusal = (status: number, message: string): MockAnswer => ({
  ...{ status, body: { errorMessages: [message], errors: {} } },
})

/** Boards; the first shows all issues, which are all in its first sprint. */
export function addBoards(site: Site, { routes, streams }: Pick<MockedApi, 'routes' | 'streams'>) {
  const boards: JsonObject[] = site
    .rows('boards', TYPES.length)
    .map((board, n) => ({ ...board, type: TYPES[n] ?? null }))
  const sprints = site.rows('sprints').map(({ boardId: _, ...sprint }) => sprint)
  const numberOf = (id = '') => boards.findIndex((board) => String(board.id) === id)

  streams.boards = { rows: () => boards.length }
  routes['GET /rest/agile/1.0/board'] = {
    query: [...PAGING, 'expand'],
    answer: (request) =>
      page(request, expanded(request, boards, { admins: 'admins', permissions: 'canEdit' })),
  }
  streams.sprints = { rows: () => SPRINTS.reduce((sum, count) => sum + count) }
  routes['GET /rest/agile/1.0/board/{id}/sprint'] = {
    query: PAGING,
    answer(request) {
      const count = SPRINTS[numberOf(request.params.id)] ?? 0
      if (count === 0) return refusal(400, 'The board does not support sprints')
      // The board of the other team shows the last sprint of the first board.
      return page(request, sprints.slice(-count))
    },
  }
  const issues = {
    rows: () => site.issues.length,
    incremental: {
      ...{ sends: 'jql', again: true as const },
      grow: () => site.addIssues(),
      touch: () => site.editIssue(),
    },
  }
  streams.board_issues = issues
  routes['GET /rest/agile/1.0/board/{id}/issue'] = {
    query: [...PAGING, 'jql', 'fields'],
    answer(request) {
      const number = numberOf(request.params.id)
      if (number === 3) return refusal(500, 'This board has no columns with a mapped status.')
      return searchedOnBoard(request, number === 0 ? site.issues : [])
    },
  }
  streams.sprint_issues = issues
  routes['GET /rest/agile/1.0/sprint/{id}/issue'] = {
    query: [...PAGING, 'jql', 'fields'],
    answer: (request) => searchedOnBoard(request, request.params.id === '1' ? site.issues : []),
  }
}
