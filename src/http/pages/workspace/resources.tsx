import type { rowView } from '../../../operations/views.ts'
import type { Visit } from '../../workspace/visit.ts'
import { ActionButton, Pill, workspacePage } from './parts.tsx'

type Row = ReturnType<typeof rowView>

export interface ResourcesPage {
  sources: Row[]
  destinations: Row[]
  /** What a test that was just asked for found. */
  tested?: { id: string; ok: boolean; problem?: { message: string; hint: string } }
}

export function resourcesPage(visit: Visit, view: ResourcesPage): Response {
  return workspacePage(visit, {
    title: 'Sources & destinations',
    section: 'resources',
    body: (
      <>
        <h1>Sources &amp; destinations</h1>
        <List visit={visit} view={view} kind="source" title="Sources" rows={view.sources} />
        <List
          {...{ visit, view, kind: 'destination', title: 'Destinations' }}
          rows={view.destinations}
        />
      </>
    ),
  })
}

interface ListPart {
  visit: Visit
  view: ResourcesPage
  kind: 'source' | 'destination'
  title: string
  rows: Row[]
}

function List({ visit, view, kind, title, rows }: ListPart) {
  return (
    <>
      <h2>{title}</h2>
      {rows.length === 0 && <p>None yet.</p>}
      <ul class="cards">
        {rows.map((row) => (
          <Card visit={visit} view={view} kind={kind} row={row} />
        ))}
      </ul>
      {visit.can('workspace:write') && (
        <p class="actions">
          <a class="button" href={`${visit.base}/resources/${kind}/new`}>
            Add a {kind}
          </a>
        </p>
      )}
    </>
  )
}

function Card({ visit, view, kind, row }: Omit<ListPart, 'title' | 'rows'> & { row: Row }) {
  const awaits = row.status === 'awaiting_credentials'
  const here = `${visit.base}/resources/${kind}/${row.id}`
  const tested = view.tested?.id === row.id ? view.tested : undefined
  return (
    <li class={`card ${awaits ? 'warn' : 'idle'}`}>
      <div class="title">
        <h3>
          <a href={here}>{row.name}</a>
        </h3>
        <Pill tone={awaits ? 'warn' : 'good'}>{awaits ? 'Needs credentials' : 'Ready'}</Pill>
      </div>
      <p class="route">{row.type}</p>
      {tested?.ok && (
        <p class="done" role="status">
          The test succeeded.
        </p>
      )}
      {tested?.problem && (
        <div class="problem" role="status">
          <p>{tested.problem.message}</p>
          <p>{tested.problem.hint}</p>
        </div>
      )}
      <div class="actions">
        {visit.can('workspace:write') && (
          <ActionButton
            {...{ visit, action: `${here}/credentials`, label: 'Enter credentials' }}
            primary={awaits}
          />
        )}
        {visit.can('sync:run') && !awaits && (
          <ActionButton visit={visit} action={`${here}/check`} label="Test" />
        )}
      </div>
    </li>
  )
}
