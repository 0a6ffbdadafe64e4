import type { ConnectorInfo } from '../../../runtime/contract.ts'
import type { ConfigField } from '../../config-form/fields.ts'
import type { Actor } from '../../workspace/resource-form.ts'
import type { Visit } from '../../workspace/visit.ts'
import { ConfigFields, type FieldProblems } from './config-fields.tsx'
import { ActionButton, Form, Pill, Problem, type ProblemText, workspacePage } from './parts.tsx'

export interface ResourcePage {
  kind: 'source' | 'destination'
  info: Pick<ConnectorInfo, 'name' | 'title' | 'documentationUrl'>
  /** Absent: it is to be made. */
  actor?: Actor
  name: string
  fields: ConfigField[]
  /** Why it was not saved. */
  problem?: ProblemText
  problems: FieldProblems
  /** What a test found; `ok` absent: who saved may not test. */
  tested?: { ok?: boolean; problem?: ProblemText & { field?: string } }
  /** The vendor can be asked for the credentials. */
  signsIn: boolean
}

/** One source or destination, whole: to make it, and to change it. */
export function resourcePage(visit: Visit, view: ResourcePage): Response {
  const { kind, info, actor, problem, problems, tested } = view
  const title = actor ? actor.name : `New ${kind}: ${info.title}`
  const isWrong = problem !== undefined || problems.size > 0
  return workspacePage(visit, {
    title,
    section: 'resources',
    status: isWrong && !tested ? 422 : 200,
    body: (
      <>
        <p class="crumbs">
          <a href={`${visit.base}/resources`}>Sources &amp; destinations</a>
          {!actor && (
            <>
              {' › '}
              <a href={`${visit.base}/resources/${kind}/new`}>Connectors</a>
            </>
          )}
        </p>
        <div class="title">
          <h1>{title}</h1>
          {actor && <StatusPill actor={actor} />}
        </div>
        <p class="route">
          {info.title} {kind}
          {info.documentationUrl?.startsWith('https://') && (
            <>
              {' · '}
              <a href={info.documentationUrl} target="_blank" rel="noreferrer">
                Documentation
              </a>
            </>
          )}
        </p>
        <Outcome view={view} />
        {actor && <Actions visit={visit} view={view} actor={actor} />}
        <ConfigForm visit={visit} view={view} />
        {actor && visit.can('workspace:delete') && <Delete visit={visit} actor={actor} />}
      </>
    ),
  })
}

export function StatusPill({ actor }: { actor: Pick<Actor, 'status'> }) {
  const awaits = actor.status === 'awaiting_credentials'
  return <Pill tone={awaits ? 'warn' : 'good'}>{awaits ? 'Needs credentials' : 'Ready'}</Pill>
}

function Outcome({ view: { problem, problems, tested, actor } }: { view: ResourcePage }) {
  if (problem) return <Problem title="Not saved" problem={problem} />
  if (tested?.problem) {
    return <Problem title="It is saved; the test did not succeed" problem={tested.problem} />
  }
  if (tested) {
    return (
      <p class="done" role="status">
        {tested.ok ? 'The test succeeded.' : 'Saved.'}
      </p>
    )
  }
  if (problems.size === 0) return null
  const fields = [...problems.keys()].map((path) => path.replace(/^config\./, ''))
  const title = actor ? 'Some fields need another look' : 'Not saved yet'
  return <Problem title={title} problem={{ message: `Look at ${fields.join(', ')} below.` }} />
}

interface OfActor {
  visit: Visit
  view: ResourcePage
  actor: Actor
}

function Actions({ visit, view, actor }: OfActor) {
  const here = `${visit.base}/resources/${view.kind}/${actor.id}`
  const awaits = actor.status === 'awaiting_credentials'
  const label = view.signsIn ? 'Sign in at the vendor' : 'Enter credentials'
  return (
    <div class="actions">
      {visit.can('sync:run') && !awaits && (
        <ActionButton visit={visit} action={`${here}/test`} label="Test" />
      )}
      {visit.can('workspace:write') && (awaits || view.signsIn) && (
        <ActionButton {...{ visit, action: `${here}/credentials`, label, primary: awaits }} />
      )}
      {visit.can('workspace:write') && !awaits && (
        <a class="button" href={`${visit.base}/connections/new?${view.kind}=${actor.id}`}>
          Connect it
        </a>
      )}
    </div>
  )
}

function ConfigForm({ visit, view }: { visit: Visit; view: ResourcePage }) {
  const { kind, info, actor, name, fields, problems, signsIn } = view
  const mayChange = visit.can('workspace:write')
  const path = actor ? actor.id : `new/${encodeURIComponent(info.name)}`
  const wrongName = problems.get('name')
  return (
    <Form visit={visit} action={`${visit.base}/resources/${kind}/${path}`} label="Settings">
      <fieldset class="plain" disabled={!mayChange}>
        <div class="field">
          <label for="name">Name</label>
          <input
            {...{ id: 'name', name: 'name', type: 'text', value: name, required: true }}
            {...{ maxlength: 100, autocomplete: 'off', 'aria-describedby': 'name-notes' }}
            aria-invalid={wrongName ? 'true' : undefined}
          />
          <div id="name-notes">
            {wrongName && <p class="wrong">{wrongName}</p>}
            <p class="help">By which you and your assistant call it.</p>
          </div>
        </div>
        <ConfigFields fields={fields} problems={problems} />
        {mayChange && (
          <>
            <p class="help">
              Secrets are encrypted on the server and never shown again, here or in a chat.
              {signsIn &&
                !actor &&
                ' What you leave empty you are asked for next, where you can sign in at the vendor.'}
            </p>
            <p>
              <button class="primary" type="submit">
                Save and test
              </button>
            </p>
          </>
        )}
      </fieldset>
    </Form>
  )
}

function Delete({ visit, actor }: { visit: Visit; actor: Actor }) {
  return (
    <details class="more">
      <summary>Delete</summary>
      <Form
        {...{ visit, label: 'Delete' }}
        action={`${visit.base}/resources/${actor.kind}/${actor.id}/delete`}
      >
        <label class="choice">
          <input type="checkbox" name="confirm" value="yes" required />
          <div>Yes, delete {actor.name} and its credentials.</div>
        </label>
        <button class="danger" type="submit">
          Delete
        </button>
      </Form>
    </details>
  )
}
