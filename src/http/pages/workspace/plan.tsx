import type { planConnection } from '../../../operations/plan/index.ts'
import { bytesText, count, rowsText } from '../../workspace/format.ts'
import type { Draft } from '../../workspace/make-connection.ts'
import { modeText } from '../../workspace/names.ts'
import type { Visit } from '../../workspace/visit.ts'
import {
  Fact,
  Form,
  Pill,
  Problem,
  type ProblemText,
  Route,
  Table,
  workspacePage,
} from './parts.tsx'
import { scheduleText } from './schedule-fields.tsx'

export type Plan = Awaited<ReturnType<typeof planConnection>>
type StreamPlan = Plan['streams'][number]

export interface PlanPage {
  draft: Draft
  plan: Plan
  sourceName: string
  destinationName: string
  /** Why an earlier plan was not carried out. */
  problem?: ProblemText
}

/** What creating the connection would do. The button does that, or nothing. */
export function planPage(visit: Visit, view: PlanPage): Response {
  const { draft, plan, sourceName, destinationName, problem } = view
  return workspacePage(visit, {
    title: `Plan of ${plan.name}`,
    section: 'connections',
    status: problem ? 409 : 200,
    body: (
      <>
        <h1>Plan of {plan.name}</h1>
        <Route from={sourceName} to={destinationName} />
        {problem && (
          <Problem title="Things have changed; here is the plan anew" problem={problem} />
        )}
        <Estimate plan={plan} />
        {plan.warnings.length > 0 && <Warnings plan={plan} />}
        <h2>Tables</h2>
        <Table label="Tables" head={['Stream', 'Table', 'What happens', 'Mode', 'Columns']}>
          {plan.streams.map((stream) => (
            <StreamLine stream={stream} />
          ))}
        </Table>
        {plan.streams.slice(0, MOST_DETAILS).map((stream) => (
          <Details stream={stream} />
        ))}
        <Form visit={visit} action={`${visit.base}/connections/create`} label="Create">
          <input type="hidden" name="input" value={JSON.stringify(draft)} />
          <input type="hidden" name="planHash" value={plan.planHash} />
          {visit.can('sync:run') && (
            <label class="choice">
              <input type="checkbox" name="sync" value="yes" checked />
              <div>Start the first sync at once</div>
            </label>
          )}
          <p class="sticky">
            {visit.can('workspace:write') && (
              <button class="primary" type="submit">
                Create the connection
              </button>
            )}
            <button type="submit" formaction={`${visit.base}/connections/new`}>
              Change something
            </button>
          </p>
        </Form>
      </>
    ),
  })
}
const MOST_DETAILS = 200

function Estimate({ plan: { estimate, schedule } }: { plan: Plan }) {
  const { rows, bytes, costUsd, basis } = estimate
  return (
    <>
      <dl class="facts">
        <Fact label="Schedule">{scheduleText(schedule)}</Fact>
        {rows !== undefined && <Fact label="Rows, about">{count(rows)}</Fact>}
        {bytes !== undefined && <Fact label="Size, about">{bytesText(bytes)}</Fact>}
        {costUsd !== undefined && <Fact label="Cost, about">${costUsd}</Fact>}
      </dl>
      <p class="help">{basis}</p>
    </>
  )
}

function Warnings({ plan }: { plan: Plan }) {
  return (
    <>
      <h2>Before you agree</h2>
      {plan.warnings.map(({ stream, message }) => (
        <p class="notice">
          {stream && <strong>{stream}: </strong>}
          {message}
        </p>
      ))}
    </>
  )
}

const ACTIONS: Record<StreamPlan['action'], string> = {
  create: 'is created',
  append: 'gets rows added',
  merge: 'gets rows added and changed',
  replace: 'is replaced',
  none: 'nothing: it would fail',
}

function StreamLine({ stream: { stream, target, action, ...rest } }: { stream: StreamPlan }) {
  const { syncMode, destinationSyncMode, columns, targetRows } = rest
  return (
    <tr>
      <th scope="row">{stream}</th>
      <td>{target}</td>
      <td>
        <Pill tone={action === 'none' ? 'bad' : action === 'replace' ? 'warn' : 'good'}>
          {ACTIONS[action]}
        </Pill>
        {typeof targetRows === 'number' && ` has ${rowsText(targetRows)}`}
      </td>
      <td>
        {modeText(syncMode)} | {modeText(destinationSyncMode)}
      </td>
      <td class="number">{columns.length}</td>
    </tr>
  )
}

/** Columns with their types, and the statements that the first sync runs. */
function Details({ stream: { stream, columns, statements } }: { stream: StreamPlan }) {
  return (
    <details class="plan">
      <summary>Columns and statements of {stream}</summary>
      <p>{columns.map(({ name, type }) => `${name} ${type}`).join(', ')}</p>
      {statements.length > 0 && (
        <pre>
          <code>{statements.map((statement) => `${statement};`).join('\n')}</code>
        </pre>
      )}
    </details>
  )
}
