import type { schemaChangesOf } from '../../../operations/schema-changes.ts'
import type { Connection } from '../../workspace/connections.ts'
import type { Tone } from '../../workspace/health.ts'
import type { Visit } from '../../workspace/visit.ts'
import { Form, Pill, workspacePage } from './parts.tsx'
import { POLICIES } from './policies.ts'

export type Changes = Awaited<ReturnType<typeof schemaChangesOf>>
type StreamChange = Changes['streams'][number]

export interface ChangesPage {
  connection: Connection
  changes: Changes
}

/** What is different at the source since the last sync. The button applies it. */
export function changesPage(visit: Visit, { connection, changes }: ChangesPage): Response {
  const { policy, streams, newStreams } = changes
  const here = `${visit.base}/connections/${connection.id}`
  return workspacePage(visit, {
    title: `Changes at the source of ${connection.name}`,
    section: 'connections',
    body: (
      <>
        <p class="crumbs">
          <a href={here}>{connection.name}</a>
        </p>
        <h1>Changes at the source</h1>
        <p>When its columns change, this connection is set to: {POLICIES[policy].toLowerCase()}.</p>
        {streams.length === 0 ? (
          <p class="done">The streams are as they were when they were last synced.</p>
        ) : (
          <ul class="cards">
            {streams.map((change) => (
              <StreamCard change={change} />
            ))}
          </ul>
        )}
        <Apply visit={visit} here={here} changes={changes} />
        {newStreams.length > 0 && (
          <>
            <h2>Streams that the connection does not have</h2>
            <p>{newStreams.slice(0, 50).join(', ')}</p>
            {visit.can('workspace:write') && (
              <p>
                <a class="button" href={`${here}/streams`}>
                  Choose streams
                </a>
              </p>
            )}
          </>
        )}
      </>
    ),
  })
}

const EFFECTS: Record<StreamChange['effect'], { tone: Tone; label: string }> = {
  applied: { tone: 'busy', label: 'The next sync applies it' },
  ignored: { tone: 'idle', label: 'Ignored' },
  refused: { tone: 'bad', label: 'It needs a decision' },
}

function StreamCard({ change }: { change: StreamChange }) {
  const { stream, effect, added, removed, retyped, statements } = change
  const { tone, label } = EFFECTS[effect]
  const problem = 'problem' in change ? change.problem : undefined
  return (
    <li class={`card ${tone}`}>
      <div class="title">
        <h2>{stream}</h2>
        <Pill tone={tone}>{label}</Pill>
      </div>
      {added.length > 0 && (
        <p>New: {added.map(({ name, type }) => `${name} (${type})`).join(', ')}</p>
      )}
      {removed.length > 0 && <p>Gone: {removed.join(', ')}</p>}
      {retyped.map(({ name, from, to }) => (
        <p>
          {name}: {from} became {to}
        </p>
      ))}
      {problem && (
        <p class="what">
          {problem.message} {problem.hint}
        </p>
      )}
      {statements.length > 0 && (
        <pre>
          <code>{statements.map((statement) => `${statement};`).join('\n')}</code>
        </pre>
      )}
    </li>
  )
}

/** What the policy is against can be taken over all the same, by changing it. */
function Apply({ visit, here, changes }: { visit: Visit; here: string; changes: Changes }) {
  const { policy, streams } = changes
  const isAgainst = policy === 'ignore' || policy === 'disable'
  const waiting = streams.filter(({ effect }) => effect === 'applied' || isAgainst)
  const may = visit.can('sync:run') && (!isAgainst || visit.can('workspace:write'))
  if (waiting.length === 0 || !may) return null
  return (
    <Form visit={visit} action={`${here}/changes`} label="Apply">
      {isAgainst && (
        <>
          <input type="hidden" name="policy" value="propagate_columns" />
          <p class="help">From then on the connection takes new columns over by itself.</p>
        </>
      )}
      <p class="actions">
        <button class="primary" type="submit">
          {isAgainst ? 'Take the changes over and sync' : 'Apply and sync'}
        </button>
      </p>
    </Form>
  )
}
