import type { connectionView, syncView } from '../../../operations/views.ts'
import { duration, rowsText } from '../../workspace/format.ts'
import { type Health, syncTone } from '../../workspace/health.ts'
import { modeText, streamText } from '../../workspace/names.ts'
import type { Visit } from '../../workspace/visit.ts'
import { RowsChart } from './chart.tsx'
import { LogFacts, type LogLag } from './log-facts.tsx'
import {
  ActionButton,
  Fact,
  Form,
  Pill,
  Problem,
  Route,
  Table,
  Time,
  workspacePage,
} from './parts.tsx'
import { FreshnessField, ScheduleFields, scheduleText } from './schedule-fields.tsx'
import { Rejects, type SyncPage } from './sync.tsx'
import { spanOfTarget } from './targets.ts'

type Connection = ReturnType<typeof connectionView>
type Sync = ReturnType<typeof syncView>

export interface ConnectionPage {
  connection: Connection
  health: Health
  sourceName: string
  destinationName: string
  /** Newest first. */
  syncs: Sync[]
  /** How far it is behind the log of its source, where it follows one. */
  log?: LogLag
  /** Of the latest sync; absent where the person may not see rows. */
  rejects?: SyncPage['rejects']
}

export function connectionPage(visit: Visit, view: ConnectionPage): Response {
  const { connection, syncs } = view
  const here = `${visit.base}/connections/${connection.id}`
  return workspacePage(visit, {
    title: connection.name,
    section: 'connections',
    body: (
      <>
        <Head visit={visit} view={view} here={here} />
        <Attention visit={visit} view={view} here={here} />
        <h2>Syncs</h2>
        {syncs.length === 0 ? (
          <p>There has been no sync yet.</p>
        ) : (
          <>
            <RowsChart bars={syncs.toReversed()} />
            <SyncTable base={visit.base} syncs={syncs.slice(0, 10)} />
          </>
        )}
        {view.rejects && view.rejects.items.length > 0 && connection.lastSync && (
          <Rejects
            rejects={{ items: view.rejects.items }}
            here={`${visit.base}/syncs/${connection.lastSync.syncId}`}
          />
        )}
        <Streams visit={visit} connection={connection} here={here} />
        {visit.can('workspace:write') && (
          <Settings visit={visit} connection={connection} here={here} />
        )}
      </>
    ),
  })
}

interface Part {
  visit: Visit
  view: ConnectionPage
  here: string
}

function Head({ visit, view, here }: Part) {
  const { connection, health, sourceName, destinationName } = view
  const { freshness, nextRunAt, status } = connection
  return (
    <>
      <div class="title">
        <h1>{connection.name}</h1>
        <Pill tone={health.tone}>{health.label}</Pill>
      </div>
      <Route from={sourceName} to={destinationName} />
      <dl class="facts">
        <Fact label="Rows as of">{freshness.asOf ? <Time at={freshness.asOf} /> : 'never'}</Fact>
        <Fact label="Target">
          {freshness.targetSeconds ? spanOfTarget(freshness.targetSeconds) : 'none'}
        </Fact>
        <Fact label="Schedule">{scheduleText(connection.schedule)}</Fact>
        <Fact label="Next sync">{nextRunAt ? <Time at={nextRunAt} /> : 'by hand'}</Fact>
        {view.log && <LogFacts log={view.log} />}
      </dl>
      <div class="actions">
        {visit.can('sync:run') && status === 'active' && health.tone !== 'busy' && (
          <ActionButton visit={visit} action={`${here}/sync`} label="Sync now" primary />
        )}
        {visit.can('workspace:write') &&
          (status === 'active' ? (
            <ActionButton visit={visit} action={`${here}/pause`} label="Pause" />
          ) : (
            <ActionButton visit={visit} action={`${here}/resume`} label="Resume" primary />
          ))}
      </div>
    </>
  )
}

/** What a person has to decide or repair. */
function Attention({ visit, view, here }: Part) {
  const { connection } = view
  const error = connection.pausedReason ?? connection.lastSync?.error
  if (!error) return null
  const mayReplace = visit.can('sync:run') && visit.can('workspace:delete')
  const title = connection.pausedReason ? 'It paused itself' : 'The latest sync did not succeed'
  return (
    <Problem title={title} problem={error}>
      {error.code === 'EMPTY_OVERWRITE_HELD' && mayReplace && (
        <Form visit={visit} action={`${here}/accept-empty`} label="Accept the empty source">
          <label class="choice">
            <input type="checkbox" name="confirm" value="yes" required />
            <div>Yes, the source is meant to be empty: replace the rows in the destination.</div>
          </label>
          <button type="submit" class="danger">
            Accept and sync
          </button>
        </Form>
      )}
      {error.code === 'SCHEMA_CHANGED' && visit.can('workspace:write') && (
        <p>
          <a class="button" href={`${here}/changes`}>
            Look at what has changed
          </a>
        </p>
      )}
    </Problem>
  )
}

function SyncTable({ base, syncs }: { base: string; syncs: Sync[] }) {
  return (
    <Table label="Latest syncs" head={['Sync', 'Status', 'Started', 'Took', 'Rows']}>
      {syncs.map((sync) => (
        <tr>
          <th scope="row">
            <a href={`${base}/syncs/${sync.syncId}`}>Sync {sync.syncId}</a>
          </th>
          <td>
            <Pill tone={syncTone(sync.status)}>{sync.status}</Pill>
          </td>
          <td>
            <Time at={sync.startedAt} />
          </td>
          <td>{sync.endedAt ? duration(sync.startedAt, sync.endedAt) : '…'}</td>
          <td class="number">{rowsText(sync.rows)}</td>
        </tr>
      ))}
    </Table>
  )
}

interface SettingsPart {
  visit: Visit
  connection: Connection
  here: string
}

function Streams({ visit, connection, here }: SettingsPart) {
  return (
    <>
      <h2>Streams</h2>
      <Table label="Streams" head={['Stream', 'Read', 'Written', 'Columns']}>
        {connection.streams.map((stream) => (
          <tr>
            <th scope="row">{streamText(stream)}</th>
            <td>{modeText(stream.syncMode)}</td>
            <td>{modeText(stream.destinationSyncMode)}</td>
            <td>{stream.selectedFields ? `${stream.selectedFields.length} chosen` : 'all'}</td>
          </tr>
        ))}
      </Table>
      <p class="actions">
        {visit.can('workspace:write') && (
          <a class="button" href={`${here}/streams`}>
            Choose streams and columns
          </a>
        )}
        {visit.can('sync:run') && (
          <a class="button" href={`${here}/changes`}>
            Look for changes at the source
          </a>
        )}
      </p>
    </>
  )
}

function Settings({ visit, connection, here }: SettingsPart) {
  const { schedule, freshness } = connection
  return (
    <>
      <h2>Settings</h2>
      <Form visit={visit} action={`${here}/settings`} label="Settings">
        <ScheduleFields schedule={schedule} />
        <FreshnessField target={freshness.targetSeconds ?? 0} />
        <button type="submit">Save</button>
      </Form>
    </>
  )
}
