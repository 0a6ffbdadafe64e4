/** The lists of a site, each under a path of its own: how Jira gives them. */
export interface SiteList {
  stream: string
  path: string
  /** Where in the answer the rows are; without it the answer is the rows, on one page. */
  list?: string
  /** In pages of `values`. */
  paged?: true
  query?: string[]
}

const paged = (stream: string, path: string, query: string[] = []): SiteList => ({
  ...{ stream, path, list: 'values', paged: true, query },
})
const whole = (stream: string, path: string, list?: string, query: string[] = []): SiteList => ({
  ...{ stream, path, query },
  ...(list ? { list } : {}),
})

export const LISTS: SiteList[] = [
  paged('projects', 'project/search'),
  paged('issue_priorities', 'priority/search'),
  paged('issue_resolutions', 'resolution/search'),
  paged('groups', 'group/bulk'),
  paged('filters', 'filter/search'),
  paged('dashboards', 'dashboard/search'),
  paged('workflows', 'workflow/search'),
  paged('statuses', 'statuses/search'),
  paged('screens', 'screens'),
  paged('issue_field_configurations', 'fieldconfiguration'),
  paged('issue_notification_schemes', 'notificationscheme', ['expand']),
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
  whole('permission_schemes', 'permissionscheme', 'permissionSchemes', ['expand']),
  whole('project_types', 'project/type'),
  whole('time_tracking', 'configuration/timetracking/list'),
  whole('workflow_statuses', 'status'),
]

/** What is a row's identity, where it is not `id`. */
export const KEYS: Record<string, string> = {
  ...{ groups: 'groupId', users: 'accountId', application_roles: 'key', permissions: 'key' },
  ...{ project_types: 'key', time_tracking: 'key', issue_navigator_settings: 'value' },
  ...{ group_members: 'accountId', issue_properties: 'key', project_email: 'projectId' },
  ...{ issue_votes: 'issueId', issue_watchers: 'issueId' },
}
