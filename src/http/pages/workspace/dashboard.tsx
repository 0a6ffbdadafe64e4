import { count } from '../../workspace/format.ts'
import { byUrgency, type ConnectionRow, healthOf } from '../../workspace/health.ts'
import type { Visit } from '../../workspace/visit.ts'
import { LogFacts } from './log-facts.tsx'
import { Fact, Pill, Route, Time, workspacePage } from './parts.tsx'
import { spanOfTarget } from './targets.ts'

export interface Dashboard {
  connections: ConnectionRow[]
  total: number
  /** Of the next hundred. */
  cursor?: string
}

export function dashboardPage(visit: Visit, dashboard: Dashboard): Response {
  const { base } = visit
  const { total, cursor, connections } = dashboard
  return workspacePage(visit, {
    title: 'Connections',
    section: 'connections',
    body: (
      <>
        <h1>Connections</h1>
        {total === 0 ? (
          <FirstSteps visit={visit} />
        ) : (
          <section data-live={`${base}?part=list`} data-every="10000">
            <ConnectionList visit={visit} connections={connections} />
          </section>
        )}
        {visit.can('workspace:write') && (
          <p class="actions">
            <a class={`button ${total === 0 ? 'primary' : ''}`} href={`${base}/connections/new`}>
              New connection
            </a>
          </p>
        )}
        {cursor && (
          <p>
            <a href={`${base}?cursor=${encodeURIComponent(cursor)}`}>
              More of the {count(total)} connections
            </a>
          </p>
        )}
      </>
    ),
  })
}

export function ConnectionList({ visit, connections }: ListProps) {
  const troubled = connections.filter((row) => ['bad', 'warn'].includes(healthOf(row).tone)).length
  return (
    <>
      <p class="summary" role="status">
        {troubled === 0
          ? 'Nothing needs you.'
          : troubled === 1
            ? '1 connection needs you.'
            : `${troubled} connections need you.`}
      </p>
      <ul class="cards">
        {byUrgency(connections).map((row) => (
          <Card base={visit.base} row={row} />
        ))}
      </ul>
    </>
  )
}
interface ListProps {
  visit: Visit
  connections: ConnectionRow[]
}

function Card({ base, row }: { base: string; row: ConnectionRow }) {
  const { tone, label, problem } = healthOf(row)
  const { id, name, sourceName, destinationName, freshness, nextRunAt, lastSync } = row
  return (
    <li class={`card ${tone}`}>
      <div class="title">
        <h2>
          <a href={`${base}/connections/${id}`}>{name}</a>
        </h2>
        <Pill tone={tone}>{label}</Pill>
      </div>
      <Route from={sourceName} to={destinationName} />
      {problem && <p class="what">{problem}</p>}
      <dl class="facts">
        <Fact label="Rows as of">{freshness?.asOf ? <Time at={freshness.asOf} /> : 'never'}</Fact>
        {freshness?.targetSeconds && (
          <Fact label="Target">{spanOfTarget(freshness.targetSeconds)}</Fact>
        )}
        <Fact label="Next sync">{nextRunAt ? <Time at={nextRunAt} /> : 'by hand'}</Fact>
        {lastSync?.log && <LogFacts log={lastSync.log} />}
      </dl>
    </li>
  )
}

function FirstSteps({ visit: { origin } }: { visit: Visit }) {
  return (
    <section class="empty">
      <h2>There is no connection yet</h2>
      <p>
        Connect your assistant to <code>{origin}/mcp</code> and tell it what you need, for instance:
        “Copy my orders database to the warehouse every six hours.” It asks you for credentials on a
        page of this server, never in the chat. Or make everything by hand, here.
      </p>
      <pre>
        <code>claude mcp add --transport http airbyte {origin}/mcp</code>
      </pre>
    </section>
  )
}
