import { table } from '../../render.ts'

/** What one command of a test came to. */
export interface TestResult {
  /** `check`, `discover`, or the name of a stream; of a replay, the name of the case. */
  name: string
  ok: boolean
  records?: number
  requests?: number
  status?: string
  /** What is wrong. */
  problems: string[]
}

export interface TestReport {
  connector: string
  ok: boolean
  results: TestResult[]
  /** Files that were written. */
  fixtures?: string[]
  evidence?: string
}

export function reportText({ connector, ok, results, fixtures, evidence }: TestReport): string {
  const rows = results.map(({ problems, ok: fine, ...more }) => ({
    ...{ name: more.name, result: fine ? 'ok' : 'failed', status: more.status },
    ...{ records: more.records, requests: more.requests },
  }))
  const problems = results.flatMap(({ name, problems: of }) => of.map((text) => `${name}: ${text}`))
  return [
    table(rows, true),
    ...(problems.length > 0 ? ['', ...problems] : []),
    '',
    `${connector}: ${ok ? 'ok' : 'failed'}`,
    ...(fixtures ? [`${fixtures.length} fixtures written`] : []),
    ...(evidence ? [`evidence: ${evidence}; npm run generate shows it in the catalog`] : []),
  ].join('\n')
}
