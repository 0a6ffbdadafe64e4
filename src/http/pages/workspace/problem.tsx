import type { Visit } from '../../workspace/visit.ts'
import { Problem, type ProblemText, workspacePage } from './parts.tsx'

/** Why something cannot be shown or done, and the way on. */
export function problemPage(visit: Visit, problem: ProblemText, status: number): Response {
  return workspacePage(visit, {
    title: 'That did not work',
    section: 'connections',
    status,
    body: (
      <>
        <h1>That did not work</h1>
        <Problem title="Why" problem={problem} />
        <p>
          <a href={visit.base}>To the connections</a>
        </p>
      </>
    ),
  })
}
