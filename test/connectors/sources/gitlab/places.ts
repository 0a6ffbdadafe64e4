import type { MockAnswer, MockRequest, MockRoutes } from '../declarative/mock-api.ts'
import { linkedPages } from '../declarative/paging.ts'
import type { Row } from '../declarative/placed-rows.ts'
import { days, fields, flags, numbers, objects, row, stamp, texts, times } from './values.ts'

export const PAGE = 2
export const PAGING = ['per_page', 'page']

/** A group with three groups below it; three projects of theirs and one of somebody else. */
export const GROUPS: [number, string][] = [
  [1, 'octo'],
  [2, 'octo/sub'],
  [3, 'octo/lab'],
  [4, 'octo/sub/deep'],
]
export const PROJECTS: [number, string][] = [
  [11, 'octo/alpha'],
  [12, 'octo/beta'],
  [13, 'octo/sub/gamma'],
  [14, 'else/where'],
]
export const GROUP_IDS = GROUPS.map(([id]) => String(id))
export const PROJECT_IDS = PROJECTS.map(([id]) => String(id))

export const NOT_FOUND: MockAnswer = { status: 404, body: { message: '404 Not found' } }
export const FORBIDDEN: MockAnswer = { status: 403, body: { message: '403 Forbidden' } }

/** Groups and projects themselves, by id or path. */
export function placeRoutes(): MockRoutes {
  const one = (known: [number, string][], build: (id: number, path: string) => Row) => ({
    query: [] as string[],
    answer({ params }: MockRequest): MockAnswer {
      const found = known.find(([id, path]) => params.id === String(id) || params.id === path)
      return found ? { body: build(...found) } : NOT_FOUND
    },
  })
  const list = (rows: Row[], query: string[]) => ({
    query: [...PAGING, ...query],
    answer: (request: MockRequest) => linkedPages(request, rows, PAGE),
  })
  const rowsOf = (known: [number, string][], build: (id: number, path: string) => Row) =>
    known.map(([id, path]) => build(id, path))
  return {
    'GET /api/v4/groups/{id}': { ...one(GROUPS, group), query: ['with_projects'] },
    'GET /api/v4/groups/{id}/descendant_groups': list(rowsOf(GROUPS.slice(1), group), []),
    'GET /api/v4/groups/{id}/projects': list(rowsOf(PROJECTS.slice(0, 3), project), [
      'include_subgroups',
      'with_shared',
    ]),
    'GET /api/v4/projects/{id}': {
      ...one(PROJECTS, project),
      query: ['statistics', 'license'],
    },
  }
}

const group = (id: number, path: string): Row =>
  row(
    id,
    {
      ...{ id, path: path.split('/').at(-1), full_path: path, created_at: stamp(id) },
      ...texts(id, 'web_url name full_name visibility project_creation_level'),
      ...texts(id, 'subgroup_creation_level'),
      ...flags(id, 'share_with_group_lock require_two_factor_authentication lfs_enabled'),
      ...{ ...flags(id, 'request_access_enabled'), two_factor_grace_period: 48 },
      shared_with_groups: [],
    },
    {
      ...texts(id, 'description default_branch avatar_url shared_runners_setting ldap_cn'),
      ...texts(id, 'wiki_access_level ip_restriction_ranges runners_token'),
      ...flags(id, 'auto_devops_enabled emails_disabled emails_enabled mentions_disabled'),
      ...flags(id, 'membership_lock prevent_forking_outside_group'),
      ...numbers(id, 'default_branch_protection parent_id organization_id ldap_access'),
      ...days(id, 'marked_for_deletion_on'),
    },
  )

const project = (id: number, path: string): Row =>
  row(
    id,
    {
      ...{ id, path_with_namespace: path, path: path.split('/').at(-1), topics: ['one'] },
      ...texts(id, 'name name_with_namespace ssh_url_to_repo http_url_to_repo web_url visibility'),
      ...times(id, 'created_at last_activity_at'),
      ...numbers(id, 'forks_count star_count'),
      ...flags(id, 'empty_repo archived issues_enabled merge_requests_enabled wiki_enabled'),
      ...{ ...flags(id, 'jobs_enabled snippets_enabled'), shared_with_groups: [] },
      namespace: { id: 1, name: 'Octo', kind: 'group', full_path: path },
      ...objects('_links'),
    },
    {
      ...texts(id, 'description default_branch readme_url avatar_url service_desk_address'),
      ...texts(id, 'container_registry_image_prefix repository_object_format import_url'),
      ...texts(id, 'import_type import_status import_error description_html build_git_strategy'),
      ...fields(ACCESS_LEVELS, (name) => `${name} enabled`),
      ...texts(id, 'ci_pipeline_variables_minimum_override_role ci_config_path runners_token'),
      ...texts(id, 'ci_restrict_pipeline_cancellation_role auto_cancel_pending_pipelines'),
      ...texts(id, 'merge_method squash_option suggestion_commit_message merge_commit_template'),
      ...texts(id, 'squash_commit_template issue_branch_template auto_devops_deploy_strategy'),
      ...texts(id, 'repository_storage external_authorization_classification_label license_url'),
      ...texts(id, 'issues_template merge_requests_template'),
      ...numbers(id, 'creator_id open_issues_count ci_default_git_depth build_timeout'),
      ...numbers(id, 'ci_delete_pipelines_in_seconds runner_token_expiration_interval'),
      ...numbers(id, 'approvals_before_merge mirror_user_id max_artifacts_size'),
      ...flags(id, PROJECT_FLAGS),
      ...days(id, 'marked_for_deletion_at marked_for_deletion_on'),
      ...{ tag_list: ['one'], compliance_frameworks: ['SOX'], updated_at: stamp(id) },
      ci_id_token_sub_claim_components: ['project_path'],
      ...objects('owner container_expiration_policy forked_from_project statistics'),
      ...objects('license permissions'),
    },
  )

const ACCESS_LEVELS = [
  'issues repository merge_requests forking wiki builds snippets pages analytics',
  'container_registry security_and_compliance releases environments feature_flags',
  'infrastructure monitor model_experiments model_registry requirements',
]
  .join(' ')
  .replaceAll(/\w+/g, '$&_access_level')

const PROJECT_FLAGS = [
  'packages_enabled resolve_outdated_diff_discussions container_registry_enabled',
  'service_desk_enabled can_create_merge_request_in emails_disabled emails_enabled',
  'shared_runners_enabled group_runners_enabled lfs_enabled mr_default_target_self',
  'ci_forward_deployment_enabled ci_forward_deployment_rollback_allowed',
  'ci_job_token_scope_enabled ci_separated_caches ci_push_repository_for_job_token_allowed',
  'ci_allow_fork_pipelines_to_run_in_parent_project keep_latest_artifact public_jobs',
  'restrict_user_defined_variables only_allow_merge_if_pipeline_succeeds mirror',
  'allow_merge_on_skipped_pipeline only_allow_merge_if_all_discussions_are_resolved',
  'only_allow_merge_if_all_status_checks_passed allow_pipeline_trigger_approve_deployment',
  'request_access_enabled remove_source_branch_after_merge auto_devops_enabled',
  'printing_merge_request_link_enabled enforce_auth_checks_on_uploads',
  'autoclose_referenced_issues mirror_trigger_builds only_mirror_protected_branches',
  'mirror_overwrites_diverged_branches requirements_enabled security_and_compliance_enabled',
  'secret_push_protection_enabled pre_receive_secret_detection_enabled',
  'merge_pipelines_enabled merge_trains_enabled merge_trains_skip_train_allowed',
  'warn_about_potentially_unwanted_characters prevent_merge_without_jira_issue',
  'duo_remote_flows_enabled',
].join(' ')
