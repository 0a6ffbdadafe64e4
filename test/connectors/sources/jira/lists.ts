import { type Expands, expandsOf } from './answers.ts'

/** The lists of a site, each under a path of its own: how Jira gives them. */
export interface SiteList {
  stream: string
  path: string
  /** Where in the answer the rows are; without it the answer is the rows, on one page. */
  list?: string
  /** In pages of `values`. */
  paged?: true
  expands?: Expands
}

const paged = (stream: string, path: string, expands?: Expands): SiteList => ({
  ...{ stream, path, list: 'values', paged: true },
  ...(expands ? { expands } : {}),
})
const whole = (stream: string, path: string, list?: string, expands?: Expands): SiteList => ({
  ...{ stream, path },
  ...(list ? { list } : {}),
  ...(expands ? { expands } : {}),
})

export const LISTS: SiteList[] = [
  paged(
    'projects',
    'project/search',
    expandsOf('description', 'projectKeys', 'lead', 'issueTypes', 'url', 'insight'),
  ),
  paged('issue_priorities', 'priority/search'),
  paged('issue_resolutions', 'resolution/search'),
  paged('groups', 'group/bulk'),
  paged(
    'filters',
    'filter/search',
    expandsOf(
      ...['description', 'favourite', 'favouritedCount', 'jql', 'owner', 'searchUrl', 'viewUrl'],
      ...['sharePermissions', 'editPermissions', 'isWritable', 'subscriptions'],
      'approximateLastUsed',
    ),
  ),
  paged('dashboards', 'dashboard/search', {
    ...expandsOf('description', 'owner', 'sharePermissions', 'editPermissions', 'isWritable'),
    ...{ viewUrl: 'view', favourite: 'isFavourite', favouritedCount: 'popularity' },
  }),
  paged('workflows', 'workflows/search', { 'values.transitions': 'transitions' }),
  paged('statuses', 'statuses/search'),
  paged('screens', 'screens'),
  paged('issue_field_configurations', 'fieldconfiguration'),
  paged('issue_notification_schemes', 'notificationscheme', { all: 'notificationSchemeEvents' }),
  paged('issue_type_schemes', 'issuetypescheme'),
  paged('issue_type_screen_schemes', 'issuetypescreenscheme'),
  paged('screen_schemes', 'screenscheme'),
  paged('workflow_schemes', 'workflowscheme'),
  whole('issue_fields', 'field'),
  whole('issue_types', 'issuetype'),
  whole('status_categories', 'statuscategory'),
  whole('project_categories', 'projectCategory'),
  whole('project_roles', 'role'),
  whole('application_roles', 'applicationrole'),
  whole('issue_link_types', 'issueLinkType', 'issueLinkTypes'),
  whole('issue_navigator_settings', 'settings/columns'),
  whole('issue_security_schemes', 'issuesecurityschemes', 'issueSecuritySchemes'),
  whole('jira_settings', 'application-properties'),
  whole('permission_schemes', 'permissionscheme', 'permissionSchemes', { all: 'permissions' }),
  whole('project_types', 'project/type'),
  whole('time_tracking', 'configuration/timetracking/list'),
  whole('workflow_statuses', 'status'),
]

/** What is a row's identity, where it is not `id`. */
export const KEYS: Record<string, string> = {
  ...{
    groups: 'groupId',
    users_groups_detailed: 'accountId',
    application_roles: 'key',
    permissions: 'key',
  },
  ...{ project_types: 'key', time_tracking: 'key', issue_navigator_settings: 'value' },
  ...{ group_members: 'accountId', issue_properties: 'key', project_email: 'projectId' },
  ...{ issue_votes: 'issueId', issue_watchers: 'issueId' },
}
