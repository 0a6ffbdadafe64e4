import { EVENT_TYPES, type EventType } from '../../../notifications/events.ts'
import type { Tone } from '../../workspace/health.ts'
import type { Visit } from '../../workspace/visit.ts'
import { ActionButton, Form, Pill, Table, Time, workspacePage } from './parts.tsx'

export interface NotificationsPage {
  webhooks: {
    id: string
    name: string
    host: string
    events: string[]
    connectionId?: string
    status: 'active' | 'paused' | 'gone'
  }[]
  deliveries: { items: DeliveryRow[]; cursor?: string }
  connections: { id: string; name: string }[]
  /** Of a webhook that was just made. */
  secret?: string
}

interface DeliveryRow {
  id: number
  webhookId: string
  type: string
  status: 'waiting' | 'delivered' | 'failed'
  attempts: number
  createdAt: string
  nextAt?: string
  error?: string
}

const EVENTS: Record<EventType, string> = {
  'sync.succeeded': 'A sync succeeded',
  'sync.failed': 'A sync failed or stayed incomplete',
  'sync.recovered': 'A sync succeeded after one that did not',
  'schema.changed': 'The schema of a source changed',
  'rows.rejected': 'The destination rejected rows',
  'log.retained': 'A source keeps much of its log (WAL) for us',
  'data.late': 'Rows are older than the target of their connection',
}
const PRESET: readonly EventType[] = ['sync.failed', 'sync.recovered', 'data.late']

export function notificationsPage(visit: Visit, view: NotificationsPage): Response {
  const mayChange = visit.can('workspace:admin')
  return workspacePage(visit, {
    title: 'Notifications',
    section: 'notifications',
    body: (
      <>
        <h1>Notifications</h1>
        {view.secret && <Secret secret={view.secret} />}
        <h2>Webhooks</h2>
        {view.webhooks.length === 0 ? (
          <p>There is no webhook yet: nobody is told when something fails.</p>
        ) : (
          <Webhooks visit={visit} view={view} mayChange={mayChange} />
        )}
        {view.deliveries.items.length > 0 && (
          <Deliveries visit={visit} view={view} mayChange={mayChange} />
        )}
        {mayChange && <NewWebhook visit={visit} connections={view.connections} />}
      </>
    ),
  })
}

function Secret({ secret }: { secret: string }) {
  return (
    <div class="done" role="status">
      <p>
        Keep this secret now; it is not shown again. Receivers check the signature of each request
        with it, as the Standard Webhooks specification says.
      </p>
      <p>
        <code>{secret}</code>
      </p>
    </div>
  )
}

interface Part {
  visit: Visit
  view: NotificationsPage
  mayChange: boolean
}

const WEBHOOK_TONES = { active: 'good', paused: 'idle', gone: 'bad' } as const

function Webhooks({ visit, view, mayChange }: Part) {
  const nameOf = (id: string) => view.connections.find((row) => row.id === id)?.name ?? id
  const action = `${visit.base}/notifications/change`
  return (
    <Table label="Webhooks" head={['Name', 'Status', 'Told of', 'Connections', 'Change']}>
      {view.webhooks.map(({ id: webhook, name, host, events, connectionId, status }) => (
        <tr>
          <th scope="row">
            {name}
            <div class="help">{host}</div>
          </th>
          <td>
            <Pill tone={WEBHOOK_TONES[status]}>{status}</Pill>
          </td>
          <td>{events.join(', ')}</td>
          <td>{connectionId ? nameOf(connectionId) : 'all'}</td>
          <td>
            {mayChange && (
              <div class="inline">
                <ActionButton
                  {...{ visit, action, label: 'Test', fields: { webhook, do: 'test' } }}
                />
                {status === 'active' ? (
                  <ActionButton
                    {...{ visit, action, label: 'Pause', fields: { webhook, do: 'paused' } }}
                  />
                ) : (
                  <ActionButton
                    {...{ visit, action, label: 'Resume', fields: { webhook, do: 'active' } }}
                  />
                )}
                <ActionButton
                  {...{ visit, action, label: 'Delete', fields: { webhook, do: 'delete' } }}
                />
              </div>
            )}
          </td>
        </tr>
      ))}
    </Table>
  )
}

const DELIVERY_TONES: Record<DeliveryRow['status'], Tone> = {
  ...{ waiting: 'busy', delivered: 'good', failed: 'bad' },
}

function Deliveries({ visit, view, mayChange }: Part) {
  const nameOf = (id: string) => view.webhooks.find((row) => row.id === id)?.name ?? id
  const { items, cursor } = view.deliveries
  return (
    <>
      <h2>Deliveries</h2>
      <Table label="Deliveries" head={['When', 'Webhook', 'Event', 'Status', 'Attempts', 'Change']}>
        {items.map(({ id, webhookId, type, status, attempts, createdAt, nextAt, error }) => (
          <tr>
            <td>
              <Time at={createdAt} />
            </td>
            <td>{nameOf(webhookId)}</td>
            <th scope="row">{type}</th>
            <td>
              <Pill tone={DELIVERY_TONES[status]}>{status}</Pill>
              {error && <div class="help">{error}</div>}
              {nextAt && attempts > 0 && (
                <div class="help">
                  again <Time at={nextAt} />
                </div>
              )}
            </td>
            <td class="number">{attempts}</td>
            <td>
              {mayChange && (
                <ActionButton
                  {...{ visit, action: `${visit.base}/notifications/replay`, label: 'Replay' }}
                  fields={{ delivery: String(id) }}
                />
              )}
            </td>
          </tr>
        ))}
      </Table>
      {cursor && (
        <p>
          <a href={`${visit.base}/notifications?cursor=${cursor}`}>Older deliveries</a>
        </p>
      )}
    </>
  )
}

function NewWebhook({
  visit,
  connections,
}: Pick<Part, 'visit'> & Pick<NotificationsPage, 'connections'>) {
  return (
    <>
      <h2>Add a webhook</h2>
      <Form visit={visit} action={`${visit.base}/notifications/create`} label="Add a webhook">
        <label>
          <span>Name</span>
          <input type="text" name="name" required maxlength={100} />
        </label>
        <label>
          <span>Address</span>
          <input type="url" name="url" required placeholder="https://example.com/hooks/airbyte" />
        </label>
        <label>
          <span>Connections</span>
          <select name="connection">
            <option value="">All</option>
            {connections.map(({ id, name }) => (
              <option value={id}>{name}</option>
            ))}
          </select>
        </label>
        <fieldset>
          <legend>Tell it when</legend>
          {EVENT_TYPES.map((type) => (
            <label class="choice">
              <input type="checkbox" name="event" value={type} checked={PRESET.includes(type)} />
              <div>
                {EVENTS[type]} <small>{type}</small>
              </div>
            </label>
          ))}
        </fieldset>
        <button class="primary" type="submit">
          Add the webhook
        </button>
      </Form>
    </>
  )
}
