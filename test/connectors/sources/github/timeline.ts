import type { Row } from '../declarative/placed-rows.ts'
import { sampleOf } from '../declarative/sample.ts'
import { DOCUMENT } from './document.ts'
import { timeOf } from './rows.ts'

export const TIMELINE = 'GET /repos/{owner}/{repo}/issues/{issue_number}/timeline'

/** Kinds of events that have between them what any of them has, by their names in the document. */
export const KINDS = [
  ...['labeled-issue-event', 'timeline-cross-referenced-event', 'timeline-committed-event'],
  ...['timeline-reviewed-event', 'timeline-comment-event', 'timeline-line-commented-event'],
  ...['milestoned-issue-event', 'renamed-issue-event', 'timeline-assigned-issue-event'],
  ...['review-requested-issue-event', 'review-dismissed-issue-event', 'locked-issue-event'],
  ...['added-to-project-issue-event', 'state-change-issue-event'],
]

/** The n-th event of an issue. The document tells one from another by their fields alone. */
export function eventOf(n: number, number: number): Row {
  const {
    body_html: _,
    body_text: __,
    ...sample
  } = sampleOf(shapeOf(KINDS[n]), 0, DOCUMENT.follow) as Row
  const at = timeOf(0, n)
  const times = Object.keys(sample).filter(
    (name) => name === 'created_at' || name === 'submitted_at',
  )
  return {
    ...sample,
    ...Object.fromEntries(times.map((name) => [name, at])),
    ...('node_id' in sample ? { node_id: `event ${number} ${n}` } : {}),
    ...('committer' in sample ? { committer: { ...(sample.committer as Row), date: at } } : {}),
  }
}

function shapeOf(kind: string | undefined) {
  const list = DOCUMENT.follow(DOCUMENT.answer(TIMELINE))
  const union = list.kind === 'array' ? DOCUMENT.follow(list.items) : list
  const branches = union.kind === 'union' ? union.of : []
  const found = branches.find(
    (branch) => branch.kind === 'reference' && branch.path.at(-1) === kind,
  )
  if (!found) throw new Error(`the document has no ${kind}`)
  return found
}
