import { linkedPages } from '../declarative/paging.ts'
import { ChildRows, type PlacedRows, type Row } from '../declarative/placed-rows.ts'
import type { MockedApi, MockedStream } from '../declarative/suite.ts'
import { digest } from '../declarative/synthetic.ts'
import { NOT_FOUND, PAGE, PAGING } from './answers.ts'
import { DOCUMENT } from './document.ts'
import { placeOf, timeOf } from './rows.ts'
import { eventOf, KINDS, TIMELINE } from './timeline.ts'

const REPOSITORY = 'GET /repos/{owner}/{repo}'
const PULL = `${REPOSITORY}/pulls/{pull_number}`

/** What stands under single pull requests, runs, issues and comments. */
export function nestedOf(lists: Record<string, PlacedRows>): Pick<MockedApi, 'routes' | 'streams'> {
  const served: Pick<MockedApi, 'routes' | 'streams'> = { routes: {}, streams: {} }

  function serve(stream: string, route: string, parents: PlacedRows, options: Served): void {
    const { key, make, at, incremental, whole, most } = options
    const row = (n: number, number: number) => {
      if (whole) return make(n, number)
      const { body_html: _, body_text: __, ...sample } = DOCUMENT.sample(route, n, at ? [at] : [])
      return { ...sample, ...make(n, number) }
    }
    const children = new ChildRows(parents, key, row, most)
    const [, open = ''] = /.*\{(\w+)\}/.exec(route) ?? []
    served.routes[route] = {
      query: PAGING,
      answer(request) {
        const rows = children.find(placeOf(request), request.params[open])
        if (!rows) return NOT_FOUND
        const { body, ...page } = linkedPages(request, rows, PAGE)
        return { ...page, body: at ? { total_count: rows.length, [at]: body } : body }
      },
    }
    served.streams[stream] = {
      rows: () => children.count,
      ...(incremental ? { incremental: incremental(children) } : {}),
    }
  }

  const { pull_requests: pulls, workflow_runs: runs } = lists as Record<string, PlacedRows>
  if (!pulls || !runs) throw new Error('the lists of parents are missing')
  // A new pull request or run brings one row of each kind.
  const grows = (parents: PlacedRows) => () => ({ again: true as const, grow: parents.grow })

  serve('pull_request_commits', `${PULL}/commits`, pulls, {
    key: 'number',
    make(n, number) {
      const { commit } = DOCUMENT.sample(`${PULL}/commits`, n) as { commit: Row }
      const author = { name: 'Somebody', email: 'somebody@example.test', date: timeOf(0, n) }
      return { sha: digest(`pull ${number}`), commit: { ...commit, author, committer: author } }
    },
    incremental: grows(pulls),
  })
  serve('reviews', `${PULL}/reviews`, pulls, {
    key: 'number',
    make: (n, number) => ({ id: number, submitted_at: timeOf(0, n) }),
    incremental: grows(pulls),
  })
  serve('workflow_jobs', `${REPOSITORY}/actions/runs/{run_id}/jobs`, runs, {
    ...{ key: 'id', at: 'jobs' },
    make: (n, number) => ({ id: number, started_at: timeOf(0, n) }),
    incremental: (jobs) => ({
      ...{ again: true, grow: runs.grow },
      touch: () => void Object.assign(jobs.newest(), { name: 'changed' }),
    }),
  })
  serve('issue_timeline_events', TIMELINE, lists.issues as PlacedRows, {
    ...{ key: 'number', whole: true, make: eventOf, most: KINDS.length },
    incremental: grows(lists.issues as PlacedRows),
  })
  for (const [stream, parent, path, key] of REACTIONS) {
    serve(stream, `${REPOSITORY}/${path}/reactions`, lists[parent] as PlacedRows, {
      key,
      make: (_n, number) => ({ id: number }),
    })
  }
  served.routes[PULL] = {
    answer(request) {
      const { pull_number } = request.params
      const pull = pulls.in(placeOf(request)).find(({ number }) => String(number) === pull_number)
      if (!pull) return NOT_FOUND
      const { id, number, title, updated_at, created_at } = pull
      const sample = DOCUMENT.sample(PULL, Number(number) - 1)
      return { body: { ...sample, id, number, title, updated_at, created_at } }
    },
  }
  served.streams.pull_request_stats = {
    rows: () => pulls.count,
    incremental: { ...grows(pulls)(), touch: () => pulls.touch() },
  }
  return served
}

interface Served {
  key: string
  make(n: number, number: number): Row
  /** `make` gives all of a row. */
  whole?: true
  /** Rows under the very first parent. */
  most?: number
  /** Where the rows are in the answer. */
  at?: string
  incremental?(children: ChildRows): NonNullable<MockedStream['incremental']>
}

const REACTIONS = [
  ['issue_reactions', 'issues', 'issues/{issue_number}', 'number'],
  ['issue_comment_reactions', 'comments', 'issues/comments/{comment_id}', 'id'],
  ['pull_request_comment_reactions', 'review_comments', 'pulls/comments/{comment_id}', 'id'],
  ['commit_comment_reactions', 'commit_comments', 'comments/{comment_id}', 'id'],
] as const
