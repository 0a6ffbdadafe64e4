import type { JsonObject, JsonSchema } from '../../../../src/protocol/index.ts'
import { manifestSchemas } from '../declarative/connector.ts'
import { hourMs } from '../declarative/synthetic.ts'
import { rowOf } from '../declarative/synthetic-row.ts'
import { KEYS } from './lists.ts'

/** As Jira writes moments: `2026-01-01T05:00:00.000+0000`. */
const moment = (hour: number) => new Date(hourMs(hour)).toISOString().replace('Z', '+0000')

/** What the connector takes out of an issue's fields. */
const TAKEN = ['created', 'updated', 'projectId', 'projectKey']

/** Of the fields; the second is not a custom one. */
const FIELD_SCHEMAS: JsonObject[] = [
  { type: 'option', custom: 'com.atlassian.jira.plugin.system.customfieldtypes:select' },
  { type: 'string', system: 'summary' },
  { type: 'string', custom: 'com.atlassian.jira.plugin.system.customfieldtypes:textfield' },
]

/** A synthetic site: issues with comments, worklogs and changes, and what is around them. */
export class Site {
  readonly issues: JsonObject[] = []
  readonly #parts = new Map<string, JsonObject[]>()
  readonly #schemas = manifestSchemas('jira')
  /** Each thing is made an hour after the one before. */
  #hour = 0

  constructor() {
    this.addIssues()
    for (const stream of ['issue_comments', 'issue_worklogs', 'issue_changelogs']) {
      for (let n = 0; n < 3; n++) this.addToIssue(stream)
    }
  }

  /** Rows of a list that does not change. */
  rows(stream: string, count = 3): JsonObject[] {
    const schema = this.#schemas.get(stream) ?? {}
    const key = KEYS[stream] ?? 'id'
    const { type } = (schema.properties as Record<string, JsonSchema>)[key] ?? {}
    return Array.from({ length: count }, (_, n) => {
      const id = type === 'integer' ? n + 1 : `${stream}-${n}`
      const known: JsonObject = { [key]: id }
      if (stream === 'issue_fields') known.schema = FIELD_SCHEMAS[n] ?? {}
      return rowOf(schema, n, known)
    })
  }

  addIssues(): void {
    for (let n = 0; n < 3; n++) this.#addIssue()
  }

  #addIssue(): void {
    const n = this.issues.length
    const at = moment(++this.#hour)
    const row = rowOf(this.#schemas.get('issues') ?? {}, n, {
      id: String(10000 + n),
      key: `A-${n}`,
    })
    for (const name of TAKEN) delete row[name]
    const project = { id: '1', key: 'A' }
    this.issues.push({
      ...row,
      fields: {
        ...{ created: at, updated: at, project, summary: `issue ${n}` },
        // The first has no votes, the second nobody who watches it.
        ...{ votes: { votes: n }, watches: { watchCount: n === 1 ? 0 : 1 } },
      },
    })
  }

  editIssue(at = moment(++this.#hour)): void {
    const [issue] = this.issues
    if (issue) issue.fields = { ...(issue.fields as JsonObject), updated: at }
  }

  ofIssue(stream: string, id: string): JsonObject[] {
    return this.#parts.get(`${stream} ${id}`) ?? []
  }

  /** A new part of the first issue, which moves the time of the issue. */
  addToIssue(stream: string): void {
    const id = String(this.issues[0]?.id)
    const known = this.ofIssue(stream, id)
    const at = moment(++this.#hour)
    const schema = this.#schemas.get(stream) ?? {}
    const row = rowOf(schema, known.length, { id: `${stream}-${known.length}`, created: at })
    if ('updated' in row) row.updated = at
    // A worklog names its issue; to the others the connector adds it.
    const { issueId: _, ...rest } = row
    const part: JsonObject = stream === 'issue_worklogs' ? { ...rest, issueId: id } : rest
    this.#parts.set(`${stream} ${id}`, [...known, part])
    this.editIssue(at)
  }

  editInIssue(stream: string): void {
    const [part] = this.ofIssue(stream, String(this.issues[0]?.id))
    const at = moment(++this.#hour)
    if (part) part.updated = at
    this.editIssue(at)
  }
}
