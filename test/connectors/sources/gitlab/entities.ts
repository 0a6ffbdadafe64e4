import type { Row } from '../declarative/placed-rows.ts'
import { digest } from '../declarative/synthetic.ts'
import {
  day,
  days,
  fields,
  flags,
  HOST,
  numbers,
  objects,
  row,
  stamp,
  texts,
  times,
} from './values.ts'

/**
 * Synthetic rows in the shapes of GitLab's reference. A full row has everything; a bare one, every
 * other, has null where GitLab may have null.
 */
export const user = (n: number): Row =>
  row(
    n,
    { id: n, username: `person-${n}`, name: `Person ${n}`, state: 'active', web_url: `${HOST}/p` },
    { public_email: `p${n}@example.test`, locked: false, avatar_url: `${HOST}/${n}.png` },
  )

export const member = (n: number, id: number): Row => ({
  ...user(n),
  id,
  ...row(
    n,
    { access_level: 30, created_at: stamp(n) },
    {
      ...{ created_by: user(0), expires_at: day(n), email: `p${n}@example.test` },
      ...{ group_saml_identity: { provider: 'saml' }, member_role: { id: 1 } },
      membership_state: 'active',
    },
  ),
})

export const label = (n: number, id: number): Row =>
  row(
    n,
    {
      ...{ id, name: `label-${id}`, color: '#d9534f', text_color: '#FFFFFF' },
      ...numbers(n, 'open_issues_count closed_issues_count open_merge_requests_count'),
    },
    { ...texts(n, 'description description_html'), archived: false, subscribed: false },
  )

export const milestone = (n: number, id: number, at: number): Row =>
  row(
    n,
    {
      ...{ id, iid: n + 1, title: `Milestone ${n}`, state: 'active', expired: false },
      ...{ ...times(at, 'created_at updated_at'), web_url: `${HOST}/m/${id}` },
    },
    { ...texts(n, 'description'), ...days(at, 'due_date start_date') },
  )

export const board = (n: number, id: number): Row =>
  row(
    n,
    { id, name: `Board ${n}`, hide_backlog_list: false, hide_closed_list: false, lists: [] },
    { ...objects('group milestone project'), assignee: user(0), labels: [], weight: 1 },
  )

const references = (n: number) => ({ short: `#${n}`, relative: `#${n}`, full: `octo/alpha#${n}` })
const TIME = {
  ...{ time_estimate: 0, total_time_spent: 0 },
  ...{ human_time_estimate: null, human_total_time_spent: null },
}
const TASKS = { count: 0, completed_count: 0 }

export const epic = (n: number, id: number, at: number): Row =>
  row(
    n,
    {
      ...{ id, iid: n + 1, group_id: 1, title: `Epic ${n}`, state: 'opened', confidential: false },
      ...{ web_url: `${HOST}/e/${id}`, ...times(at, 'created_at updated_at'), labels: ['one'] },
      ...numbers(n, 'upvotes downvotes'),
    },
    {
      ...numbers(n, 'work_item_id parent_id parent_iid'),
      ...texts(n, 'color text_color description reference imported_from'),
      ...{ references: references(n), author: user(0) },
      ...flags(n, 'start_date_is_fixed due_date_is_fixed imported'),
      ...days(at, 'start_date start_date_fixed start_date_from_inherited_source'),
      ...days(at, 'start_date_from_milestones due_date due_date_fixed end_date'),
      ...days(at, 'due_date_from_inherited_source due_date_from_milestones'),
      ...{ closed_at: stamp(at), ...objects('_links') },
    },
  )

/** What issues and merge requests have in common. */
const issuable = (n: number, id: number, at: number): [Row, Row] => [
  {
    ...{ id, iid: n + 1, title: `Title ${n}`, state: 'opened', labels: ['one'] },
    ...{ ...times(at, 'created_at updated_at'), web_url: `${HOST}/i/${id}` },
    ...{ assignees: [user(0)], ...numbers(n, 'user_notes_count upvotes downvotes') },
  },
  {
    ...{ ...texts(n, 'description imported_from'), closed_at: stamp(at), closed_by: user(0) },
    ...{ milestone: { ...milestone(0, 1, 0), group_id: 1, project_id: null } },
    ...{ author: user(0), assignee: user(0), time_stats: TIME, task_completion_status: TASKS },
    ...{ discussion_locked: false, references: references(n), imported: false },
  },
]

export function issue(n: number, id: number, at: number): Row {
  const [always, sometimes] = issuable(n, id, at)
  return row(
    n,
    { ...always, merge_requests_count: n, confidential: false, project_id: 11 },
    {
      ...sometimes,
      ...texts(n, 'type issue_type task_status severity service_desk_reply_to health_status'),
      ...days(at, 'due_date start_date'),
      ...numbers(n, 'weight blocking_issues_count moved_to_id epic_iid'),
      ...{ has_tasks: false, ...objects('_links epic iteration') },
    },
  )
}

export function mergeRequest(n: number, id: number, at: number): Row {
  const [always, sometimes] = issuable(n, id, at)
  return row(
    n,
    {
      ...{ ...always, ...texts(n, 'target_branch source_branch'), reviewers: [user(0)] },
      ...flags(n, 'draft merge_when_pipeline_succeeds squash has_conflicts'),
      ...{ target_project_id: 11, project_id: 11 },
    },
    {
      ...{ ...sometimes, merged_by: user(0), merge_user: user(0), source_project_id: 11 },
      ...times(at, 'merged_at merge_after prepared_at'),
      ...texts(n, 'merge_status detailed_merge_status sha merge_commit_sha squash_commit_sha'),
      ...{ ...texts(n, 'reference'), approvals_before_merge: 1 },
      ...flags(n, 'work_in_progress should_remove_source_branch force_remove_source_branch'),
      ...flags(n, 'allow_collaboration allow_maintainer_to_push squash_on_merge'),
      ...flags(n, 'blocking_discussions_resolved'),
    },
  )
}

export const commit = (n: number, name: string, at: number): Row => {
  const made = stamp(at).replace('Z', '+00:00')
  const id = digest(name)
  return row(
    n,
    {
      ...{ id, short_id: id.slice(0, 8), parent_ids: [digest(`before ${name}`)] },
      ...fields('created_at authored_date committed_date', () => made),
      ...texts(n, 'title message author_name author_email committer_name committer_email web_url'),
    },
    objects('trailers extended_trailers'),
  )
}

export const note = (n: number, id: number, at: number): Row =>
  row(
    n,
    {
      ...{ id, body: `Note ${n}`, ...times(at, 'created_at updated_at'), system: false },
      ...{ noteable_id: 1, noteable_type: 'Issue', project_id: 11, resolvable: true },
      noteable_iid: 1,
    },
    {
      ...{ ...texts(n, 'type attachment commit_id imported_from'), author: user(0) },
      ...{ ...objects('position commands_changes'), resolved: true, resolved_by: user(0) },
      ...{ resolved_at: stamp(at), suggestions: [] },
      ...flags(n, 'confidential internal imported'),
    },
  )

export const pipeline = (n: number, id: number, at: number): Row =>
  row(
    n,
    {
      ...{ id, iid: n + 1, project_id: 11, ...texts(n, 'sha ref source web_url') },
      ...{ status: 'success', ...times(at, 'created_at updated_at') },
    },
    { name: 'Build' },
  )

/** What a single pipeline has besides. */
export const pipelineDetails = (n: number, at: number): Row =>
  row(
    n,
    { tag: false, before_sha: digest(`before ${n}`) },
    {
      ...{ ...texts(n, 'yaml_errors coverage'), user: user(0) },
      ...{ ...times(at, 'started_at finished_at committed_at'), archived: false },
      ...{ ...numbers(n, 'duration queued_duration'), ...objects('detailed_status') },
    },
  )

export const job = (n: number, id: number, at: number): Row =>
  row(
    n,
    {
      ...{ id, status: 'success', ...texts(n, 'stage name ref web_url'), tag: false },
      ...{ allow_failure: false, created_at: stamp(at), artifacts: [], tag_list: ['linux'] },
      ...objects('pipeline'),
    },
    {
      ...{ coverage: 98.5, duration: 1.5, queued_duration: 0.25, failure_reason: 'script' },
      ...{ ...times(at, 'started_at finished_at erased_at artifacts_expire_at'), archived: false },
      ...{ commit: commit(0, `job ${id}`, at), ...objects('user project artifacts_file') },
      ...objects('runner runner_manager'),
    },
  )

export const branch = (n: number): Row =>
  row(
    n,
    {
      ...{ name: `branch-${n}`, ...texts(n, 'web_url') },
      ...flags(n, 'merged protected developers_can_push developers_can_merge can_push default'),
    },
    { commit: commit(0, `branch ${n}`, n) },
  )

export const tag = (n: number): Row =>
  row(
    n,
    { name: `v1.${n}`, target: digest(`tag ${n}`), protected: false },
    {
      ...{ message: 'A tag', commit: commit(0, `tag ${n}`, n), created_at: stamp(n) },
      ...objects('release'),
    },
  )

export const release = (n: number): Row =>
  row(
    n,
    {
      ...{ tag_name: `v1.${n}`, name: `Release ${n}`, created_at: stamp(n) },
      ...{ upcoming_release: false, assets: { count: 0 } },
    },
    {
      ...{ ...texts(n, 'description commit_path tag_path'), released_at: stamp(n) },
      ...{ author: user(0), commit: commit(0, `release ${n}`, n), milestones: [], evidences: [] },
      ...objects('_links'),
    },
  )

export const deployment = (n: number, id: number, at: number): Row =>
  row(
    n,
    {
      ...{ id, iid: n + 1, ...texts(n, 'ref sha'), ...times(at, 'created_at updated_at') },
      ...{ status: 'success', ...objects('environment') },
    },
    { user: user(0), ...objects('deployable') },
  )

export const environment = (n: number, id: number, at: number): Row =>
  row(
    n,
    {
      ...{ id, name: `env-${n}`, slug: `env-${n}`, tier: 'production', state: 'available' },
      ...times(at, 'created_at updated_at'),
    },
    {
      ...texts(n, 'description external_url kubernetes_namespace flux_resource_path'),
      ...{ ...texts(n, 'auto_stop_setting'), auto_stop_at: stamp(at), ...objects('cluster_agent') },
    },
  )
