import type { Reject } from '../../../core/sync-engine/reject-lines.ts'
import type { LogLine, Receipt } from '../../../durable-object/rpc.ts'
import type { syncOf } from '../../../operations/syncs.ts'
import type { syncDetailView } from '../../../operations/views.ts'
import { bytesText, count, duration, moment, rowsText } from '../../workspace/format.ts'
import { syncTone } from '../../workspace/health.ts'
import type { Visit } from '../../workspace/visit.ts'
import { ActionButton, Pill, Problem, Table, Time, workspacePage } from './parts.tsx'

type Sync = ReturnType<typeof syncOf>
type StreamState = ReturnType<typeof syncDetailView>['streams'][number]
export type Line = Omit<LogLine, 'at'> & { at: string }

export interface SyncPage {
  sync: Sync
  connection: { id: string; name: string }
  lines: Line[]
  receipt?: Omit<Receipt, 'streams'> & { streams: ReceiptStream[] }
  /** Absent where the person may not see rows. */
  rejects?: { items: Reject[]; cursor?: string }
}
type ReceiptStream = Omit<Receipt['streams'][number], 'chunks'> & { chunkCount: number }

export function syncPage(visit: Visit, view: SyncPage): Response {
  const { sync, connection, receipt, rejects } = view
  const here = `${visit.base}/syncs/${sync.syncId}`
  const isLive = !sync.finished
  return workspacePage(visit, {
    title: `Sync ${sync.syncId} of ${connection.name}`,
    section: 'connections',
    body: (
      <>
        <p class="crumbs">
          <a href={`${visit.base}/connections/${connection.id}`}>{connection.name}</a>
        </p>
        <h1>Sync {sync.syncId}</h1>
        <div
          data-live={isLive ? `${here}?part=progress` : undefined}
          data-every={isLive ? '2000' : undefined}
        >
          <Progress sync={sync} lines={isLive ? view.lines : []} />
        </div>
        {isLive && (
          <noscript>
            <p>
              <a href={here}>Look again</a>
            </p>
          </noscript>
        )}
        {isLive && visit.can('sync:run') && (
          <ActionButton visit={visit} action={`${here}/cancel`} label="Cancel" />
        )}
        {receipt && <ReceiptPart receipt={receipt} />}
        {rejects && rejects.items.length > 0 && <Rejects here={here} rejects={rejects} />}
        {!isLive && <Log lines={view.lines} />}
      </>
    ),
  })
}

/** What changes while a sync runs. */
export function Progress({ sync, lines }: { sync: Sync; lines: Line[] }) {
  const streams = streamsOf(sync)
  return (
    <>
      <p class="title" role="status">
        <Pill tone={syncTone(sync.status)}>{sync.status}</Pill>
        <span>
          {rowsText(sync.rows)}, {bytesText(sync.bytes)}
          {sync.endedAt && ` in ${duration(sync.startedAt, sync.endedAt)}`}
        </span>
      </p>
      <p>
        Started <Time at={sync.startedAt} />
        {sync.endedAt && (
          <>
            , ended <Time at={sync.endedAt} />
          </>
        )}
        .
      </p>
      {sync.error && <Problem title="What went wrong" problem={sync.error} />}
      {sync.waiting?.map(({ stream, until, reason }) => (
        <p class="notice">
          <strong>{stream}</strong> waits until {moment(until)}: {reason}
        </p>
      ))}
      {streams.length > 0 && (
        <Table
          label="Streams"
          head={['Stream', 'Status', 'Loaded', 'Progress', 'Read', 'Rejected']}
        >
          {streams.map((stream) => (
            <StreamRow stream={stream} />
          ))}
        </Table>
      )}
      <Log lines={lines} />
    </>
  )
}

/** A sync whose object has gone is known by its sums only. */
const streamsOf = (sync: Sync) => ('streams' in sync ? (sync.streams as StreamState[]) : [])

function StreamRow({ stream }: { stream: StreamState }) {
  const { status, rowsRead, rowsLoaded, rejected, estimatedRows, error } = stream
  const total = status === 'succeeded' ? rowsLoaded : estimatedRows
  return (
    <tr>
      <th scope="row">
        {stream.stream}
        {error && <div class="help">{error.message}</div>}
      </th>
      <td>
        <Pill tone={syncTone(status)}>{status}</Pill>
      </td>
      <td class="number">{count(rowsLoaded)}</td>
      <td>
        {total !== undefined && (
          <progress
            value={String(Math.min(rowsLoaded, total) || (status === 'succeeded' ? 1 : 0))}
            max={String(Math.max(total, 1))}
            aria-label={`Rows of ${stream.stream} loaded`}
          />
        )}
      </td>
      <td class="number">{count(rowsRead)}</td>
      <td class="number">{count(rejected)}</td>
    </tr>
  )
}

function Log({ lines }: { lines: Line[] }) {
  if (lines.length === 0) return null
  return (
    <>
      <h2>Log</h2>
      <section class="log" aria-label="Log" tabindex={0}>
        <ol>
          {lines.map(({ at, level, stream, message }) => (
            <li class={level}>
              <time datetime={at}>{at.slice(11, 19)}</time> <strong>{level}</strong>{' '}
              {stream && <em>{stream}</em>} {message}
            </li>
          ))}
        </ol>
      </section>
    </>
  )
}

/** Rows that were refused, with why. */
export function Rejects({
  here,
  rejects,
}: {
  here: string
  rejects: NonNullable<SyncPage['rejects']>
}) {
  return (
    <>
      <h2>Rejected rows</h2>
      <p>The destination cannot hold these rows. They are kept for thirty days.</p>
      <Table label="Rejected rows" head={['Stream', 'Field', 'Reason', 'Row']}>
        {rejects.items.map(({ stream, field, reason, row }) => (
          <tr>
            <th scope="row">{stream}</th>
            <td>{field}</td>
            <td>{reason}</td>
            <td>
              <Row row={row} />
            </td>
          </tr>
        ))}
      </Table>
      {rejects.cursor && (
        <p>
          <a href={`${here}?rejects=${encodeURIComponent(rejects.cursor)}`}>More rejected rows</a>
        </p>
      )}
    </>
  )
}

/** The start of a row; all of it on demand, up to a limit. */
function Row({ row }: { row: string }) {
  if (row.length <= 80) return <code>{row}</code>
  return (
    <details>
      <summary>
        <code>{row.slice(0, 80)}…</code>
      </summary>
      <code>{row.length > MAX_ROW ? `${row.slice(0, MAX_ROW)}…` : row}</code>
    </details>
  )
}
const MAX_ROW = 5000

function ReceiptPart({ receipt }: { receipt: NonNullable<SyncPage['receipt']> }) {
  return (
    <>
      <h2>Receipt</h2>
      {receipt.warnings.map(({ code, stream, message }) => (
        <p class="notice">
          <code>{code}</code> {stream && <strong>{stream}: </strong>}
          {message}
        </p>
      ))}
      <Table
        label="Receipt"
        head={['Stream', 'Table', 'Read', 'Loaded', 'Rejected', 'Filtered', 'Size', 'Row hash']}
      >
        {receipt.streams.map((stream) => (
          <tr>
            <th scope="row">{stream.stream}</th>
            <td>{stream.target}</td>
            <td class="number">{count(stream.rowsRead)}</td>
            <td class="number">{count(stream.rowsLoaded)}</td>
            <td class="number">{count(stream.rowsRejected)}</td>
            <td class="number">{count(stream.rowsFiltered)}</td>
            <td class="number">{bytesText(stream.bytes)}</td>
            <td>
              <code class="hash" title={`in ${stream.chunkCount} chunks`}>
                {stream.rowHash}
              </code>
            </td>
          </tr>
        ))}
      </Table>
    </>
  )
}
