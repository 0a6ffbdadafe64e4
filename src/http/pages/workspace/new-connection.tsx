import { connectionSettings } from '../../../operations/fields.ts'
import type { Draft } from '../../workspace/make-connection.ts'
import { streamText } from '../../workspace/names.ts'
import type { StreamRow } from '../../workspace/stream-form.ts'
import type { Visit } from '../../workspace/visit.ts'
import { Form, Problem, type ProblemText, Route, workspacePage } from './parts.tsx'
import { POLICIES } from './policies.ts'
import { FreshnessField, ScheduleFields } from './schedule-fields.tsx'
import { Stream } from './streams.tsx'

interface End {
  id: string
  name: string
  type: string
  status: string
}

export interface EndsPage {
  sources: End[]
  destinations: End[]
  chosen: { source: string; destination: string }
}

/** From where to where. */
export function endsPage(visit: Visit, { sources, destinations, chosen }: EndsPage): Response {
  return workspacePage(visit, {
    title: 'New connection',
    section: 'connections',
    body: (
      <>
        <p class="crumbs">
          <a href={visit.base}>Connections</a>
        </p>
        <h1>New connection</h1>
        <form method="get" action={`${visit.base}/connections/new`}>
          <fieldset class="plain">
            <End
              {...{ visit, kind: 'source', title: 'From', ends: sources }}
              chosen={chosen.source}
            />
            <End
              {...{ visit, kind: 'destination', title: 'To', ends: destinations }}
              chosen={chosen.destination}
            />
            <button class="primary" type="submit">
              Go on to the streams
            </button>
          </fieldset>
        </form>
      </>
    ),
  })
}

interface EndPart {
  visit: Visit
  kind: 'source' | 'destination'
  title: string
  ends: End[]
  chosen: string
}

function End({ visit, kind, title, ends, chosen }: EndPart) {
  const ready = ends.filter(({ status }) => status === 'active')
  return (
    <fieldset>
      <legend>{title}</legend>
      {ready.length === 0 && <p>There is no {kind} that is ready yet.</p>}
      {ready.map(({ id, name, type }, i) => (
        <label class="choice">
          <input
            {...{ type: 'radio', name: kind, value: id, required: true }}
            checked={chosen ? chosen === id : i === 0 && ready.length === 1}
          />
          <div>
            {name} <small>{type}</small>
          </div>
        </label>
      ))}
      <p>
        <a href={`${visit.base}/resources/${kind}/new`}>Add a {kind}</a>
      </p>
    </fieldset>
  )
}

export interface NewConnection {
  draft: Draft
  sourceName: string
  destinationName: string
  rows: StreamRow[]
  /** Streams of the source that the query finds. */
  total: number
  query: string
  problem?: ProblemText
}

/** What goes from the one to the other, and how. Nothing is made before its plan was seen. */
export function newConnectionPage(visit: Visit, view: NewConnection): Response {
  const { draft, sourceName, destinationName, rows, total, query, problem } = view
  return workspacePage(visit, {
    title: 'New connection',
    section: 'connections',
    status: problem ? 422 : 200,
    body: (
      <>
        <p class="crumbs">
          <a href={visit.base}>Connections</a> ›{' '}
          <a href={`${visit.base}/connections/new`}>New connection</a>
        </p>
        <h1>New connection</h1>
        <Route from={sourceName} to={destinationName} />
        {problem && <Problem title="There is no plan yet" problem={problem} />}
        <Form visit={visit} action={`${visit.base}/connections/new`} label="New connection">
          <input type="hidden" name="source" value={draft.source} />
          <input type="hidden" name="destination" value={draft.destination} />
          <input type="hidden" name="streams" value={JSON.stringify(draft.streams)} />
          <div class="field">
            <label for="name">Name</label>
            <input {...{ id: 'name', type: 'text', name: 'name', value: draft.name }} required />
          </div>
          <h2>Streams</h2>
          <div class="inline">
            <label for="q">Find streams</label>
            <input id="q" type="search" name="q" value={query} />
            <Step step="find">Find</Step>
            <Step step="all">Choose all</Step>
            <Step step="none">Choose none</Step>
          </div>
          <p>
            {draft.streams.length} of the streams are chosen.
            {rows.length < total &&
              ` Here are ${rows.length} of ${total}; find the others by name.`}
          </p>
          <ul class="cards">
            {rows.map((row, i) => (
              <Stream row={row} i={i}>
                <Columns row={row} i={i} />
              </Stream>
            ))}
          </ul>
          <Settings draft={draft} />
          <p class="sticky">
            <button class="primary" type="submit" name="do" value="plan">
              Show the plan
            </button>
          </p>
        </Form>
      </>
    ),
  })
}

function Step({ step, children }: { step: string; children: string }) {
  return (
    <button type="submit" name="do" value={step} formnovalidate>
      {children}
    </button>
  )
}

/** More are chosen on a page of their own, once the connection is there. */
const MOST_COLUMNS = 300

function Columns({ row, i }: { row: StreamRow; i: number }) {
  const { columns, fixed, selected } = row
  if (columns.length > MOST_COLUMNS) {
    return <p>All {columns.length} columns; choose among them once the connection is made.</p>
  }
  return (
    <details class="wide">
      <summary>
        Columns<span class="hidden"> of {streamText(row)}</span>:{' '}
        {selected === undefined
          ? `all ${columns.length}`
          : `${selected.length} of ${columns.length}`}
      </summary>
      <input type="hidden" name={`columns.${i}`} value={String(columns.length)} />
      {columns.map((name) => (
        <label class="choice">
          <input
            {...{ type: 'checkbox', name: `column.${i}`, value: name }}
            checked={fixed.includes(name) || (selected?.includes(name) ?? true)}
            disabled={fixed.includes(name)}
          />
          <div>{name}</div>
        </label>
      ))}
      {fixed.map((name) => (
        <input type="hidden" name={`column.${i}`} value={name} />
      ))}
    </details>
  )
}

const NORMALIZATIONS: Record<string, string> = {
  basic: 'A column for each field; objects as JSON',
  flatten: 'A column for each field, those of objects too',
  raw: 'One column with the whole record as JSON',
  nested: 'Lists become tables of their own',
}

function Settings({ draft }: { draft: Draft }) {
  const { normalization = 'basic', schemaChanges = 'propagate_columns' } = draft
  return (
    <>
      <h2>Settings</h2>
      <ScheduleFields schedule={draft.schedule} />
      <FreshnessField target={draft.freshnessSeconds ?? 0} />
      <Choice
        {...{ name: 'normalization', label: 'Shape of the tables', value: normalization }}
        options={connectionSettings.normalization.unwrap().options}
        titles={NORMALIZATIONS}
      />
      <Choice
        {...{ name: 'schemaChanges', label: 'When the source gets other columns' }}
        {...{ value: schemaChanges, titles: POLICIES }}
        options={connectionSettings.schemaChanges.unwrap().options}
      />
      <div class="field">
        <label for="namespace">
          Schema at the destination <small>(optional)</small>
        </label>
        <input
          {...{ id: 'namespace', type: 'text', name: 'namespace', maxlength: 63 }}
          value={draft.namespace ?? ''}
        />
        <p class="help">Empty: that of the source, or the destination's own.</p>
      </div>
      <div class="field">
        <label for="prefix">
          Prefix of tables <small>(optional)</small>
        </label>
        <input
          {...{ id: 'prefix', type: 'text', name: 'prefix', maxlength: 40 }}
          value={draft.prefix ?? ''}
        />
      </div>
    </>
  )
}

interface ChoicePart {
  name: string
  label: string
  value: string
  options: readonly string[]
  titles: Record<string, string>
}

function Choice({ name, label, value, options, titles }: ChoicePart) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <select id={name} name={name}>
        {options.map((option) => (
          <option value={option} selected={option === value}>
            {titles[option] ?? option}
          </option>
        ))}
      </select>
    </div>
  )
}
