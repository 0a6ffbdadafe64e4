import type { Child } from 'hono/jsx'
import { modeText, streamText } from '../../workspace/names.ts'
import type { StreamRow } from '../../workspace/stream-form.ts'
import type { Visit } from '../../workspace/visit.ts'
import { Form, Problem, type ProblemText, workspacePage } from './parts.tsx'

interface Owner {
  id: string
  name: string
}

export interface StreamsPage {
  connection: Owner
  rows: StreamRow[]
  /** Streams of the source that the query finds. */
  total: number
  query: string
  problem?: ProblemText
}

/** Which streams a connection has, and how each is read and written. */
export function streamsPage(visit: Visit, view: StreamsPage): Response {
  const { connection, rows, total, query, problem } = view
  const here = `${visit.base}/connections/${connection.id}`
  return workspacePage(visit, {
    title: `Streams of ${connection.name}`,
    section: 'connections',
    status: problem ? 422 : 200,
    body: (
      <>
        <p class="crumbs">
          <a href={here}>{connection.name}</a>
        </p>
        <h1>Streams</h1>
        {problem && <Problem title="Not saved" problem={problem} />}
        <search>
          <form method="get" action={`${here}/streams`} class="inline">
            <label for="q">Find streams</label>
            <input id="q" type="search" name="q" value={query} />
            <button type="submit">Find</button>
          </form>
        </search>
        <p>
          {rows.length < total
            ? `The first ${rows.length} of ${total} streams; find the others by name.`
            : `${total} ${total === 1 ? 'stream' : 'streams'}.`}
        </p>
        <Form visit={visit} action={`${here}/streams`} label="Streams">
          <input type="hidden" name="q" value={query} />
          <ul class="cards">
            {rows.map((row, i) => (
              <Stream row={row} i={i}>
                <ColumnsLink row={row} here={here} />
              </Stream>
            ))}
          </ul>
          <p class="sticky">
            <button class="primary" type="submit">
              Save the streams
            </button>
          </p>
        </Form>
      </>
    ),
  })
}

/** One stream to choose, with its modes; `children` say of its columns. */
export function Stream({ row, i, children }: { row: StreamRow; i: number; children: Child }) {
  const { name, namespace, on, gone, isNew } = row
  const title = streamText(row)
  return (
    <li class={`card ${gone ? 'bad' : isNew ? 'busy' : 'idle'}`}>
      <input type="hidden" name={`stream.${i}`} value={JSON.stringify([name, namespace])} />
      <label class="choice">
        <input type="checkbox" name={`on.${i}`} value="yes" checked={on} disabled={gone && !on} />
        <div>
          <strong>{title}</strong>{' '}
          {gone && <span class="help">The source does not have it any more.</span>}
        </div>
      </label>
      {!gone && (
        <div class="columns">
          <label>
            <span>Mode</span>
            <select name={`mode.${i}`}>
              {row.modes.map((mode) => (
                <option value={mode} selected={mode === row.mode}>
                  {mode.split('/').map(modeText).join(' | ')}
                </option>
              ))}
            </select>
          </label>
          <Cursor row={row} i={i} />
          <Key row={row} i={i} />
          {children}
        </div>
      )}
    </li>
  )
}

function ColumnsLink({ row, here }: { row: StreamRow; here: string }) {
  const { on, columns, selected } = row
  const title = streamText(row)
  return (
    <p>
      {on ? (
        <a href={`${here}/columns?stream=${encodeURIComponent(title)}`}>
          Columns<span class="hidden"> of {title}</span>
        </a>
      ) : (
        'Columns'
      )}
      :{' '}
      {selected === undefined ? `all ${columns.length}` : `${selected.length} of ${columns.length}`}
    </p>
  )
}

function Cursor({ row, i }: { row: StreamRow; i: number }) {
  if (!row.modes.some((mode) => mode.startsWith('incremental'))) return null
  if (row.cursorFixed) return <p>Cursor: {row.cursor || 'of the source'}</p>
  return (
    <label>
      <span>Cursor, for incremental modes</span>
      <select name={`cursor.${i}`}>
        <option value="">None</option>
        {row.columns.map((column) => (
          <option value={column} selected={column === row.cursor}>
            {column}
          </option>
        ))}
      </select>
    </label>
  )
}

function Key({ row, i }: { row: StreamRow; i: number }) {
  if (row.keyFixed) return <p>Key: {row.key}</p>
  return (
    <label>
      <span>Primary key, for dedup</span>
      <input type="text" name={`key.${i}`} value={row.key} placeholder="id" />
    </label>
  )
}

export interface ColumnsPage {
  connection: Owner
  stream: { name: string; namespace?: string }
  columns: { name: string; type: string; on: boolean; fixed: boolean }[]
  problem?: ProblemText
}

/** Which columns of one stream are synced. Key and cursor always are. */
export function columnsPage(visit: Visit, view: ColumnsPage): Response {
  const { connection, stream, columns, problem } = view
  const here = `${visit.base}/connections/${connection.id}`
  const title = streamText(stream)
  return workspacePage(visit, {
    title: `Columns of ${title}`,
    section: 'connections',
    status: problem ? 422 : 200,
    body: (
      <>
        <p class="crumbs">
          <a href={here}>{connection.name}</a> › <a href={`${here}/streams`}>Streams</a>
        </p>
        <h1>Columns of {title}</h1>
        {problem && <Problem title="Not saved" problem={problem} />}
        <Form visit={visit} action={`${here}/columns`} label="Columns">
          <input type="hidden" name="stream" value={title} />
          <fieldset>
            <legend>Columns to sync</legend>
            {columns.map(({ name, type, on, fixed }) => (
              <label class="choice">
                <input type="checkbox" name="column" value={name} checked={on} disabled={fixed} />
                <div>
                  {name} <small>{fixed ? `${type}, key or cursor` : type}</small>
                </div>
              </label>
            ))}
          </fieldset>
          <button class="primary" type="submit">
            Save the columns
          </button>
        </Form>
      </>
    ),
  })
}
