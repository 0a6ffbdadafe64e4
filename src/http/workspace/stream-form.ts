import type { StreamChoice } from '../../operations/fields.ts'
import { PAIRS } from '../../operations/stream-choices.ts'
import {
  type DestinationSyncMode,
  type JsonSchema,
  type SyncMode,
  streamKey,
} from '../../protocol/index.ts'

/** A stream as `sources.discover` shows it, with its schema. */
export interface Discovered {
  name: string
  namespace?: string
  syncModes: SyncMode[]
  primaryKey: string[][]
  cursorField: string[]
  sourceDefinedCursor: boolean
  /** Where it was asked for. */
  jsonSchema?: JsonSchema
}

/** A stream on the page where people choose streams. */
export interface StreamRow {
  name: string
  namespace?: string
  on: boolean
  /** Of the connection, and no longer of the source. */
  gone: boolean
  /** Of the source, and not (yet) of the connection. */
  isNew: boolean
  /** `incremental/append_dedup`; those that source and destination know together. */
  modes: string[]
  mode: string
  cursor: string
  cursorFixed: boolean
  /** Column or columns with commas between them. */
  key: string
  keyFixed: boolean
  columns: string[]
  /** Key and cursor of the source: they are synced whatever else is chosen. */
  fixed: string[]
  /** The columns that are synced; absent: all. */
  selected?: string[]
}

/**
 * The rows of the page: what the source has, as the connection (or a form that was refused) has it
 * now. Streams that the source has lost are shown on top.
 */
export function streamRows(
  discovered: readonly Discovered[],
  configured: readonly StreamChoice[],
  destinationModes: readonly DestinationSyncMode[],
  lost: readonly StreamChoice[] = [],
): StreamRow[] {
  const byKey = new Map(configured.map((choice) => [streamKey(choice), choice]))
  const rows = discovered.map((stream) =>
    rowOf(stream, byKey.get(streamKey(stream)), destinationModes),
  )
  return [...lost.map(goneRow), ...rows]
}

function rowOf(
  stream: Discovered,
  choice: StreamChoice | undefined,
  destinationModes: readonly DestinationSyncMode[],
): StreamRow {
  const columns = columnsOf(stream.jsonSchema).map(({ name }) => name)
  const modes = stream.syncModes.flatMap((sync) =>
    PAIRS[sync].filter((mode) => destinationModes.includes(mode)).map((mode) => `${sync}/${mode}`),
  )
  const keyed = stream.primaryKey.length > 0
  const usable = modes.find((mode) => keyed || !mode.endsWith('_dedup')) ?? modes[0] ?? ''
  return {
    ...{ name: stream.name, namespace: stream.namespace, modes, columns },
    ...{ on: choice !== undefined, gone: false, isNew: choice === undefined },
    mode: choice ? `${choice.syncMode}/${choice.destinationSyncMode}` : usable,
    cursor: pathText(choice?.cursorField ?? stream.cursorField),
    cursorFixed: stream.sourceDefinedCursor,
    key: keyText(keyed ? stream.primaryKey : choice?.primaryKey),
    keyFixed: keyed,
    fixed: fixedOf(stream),
    selected: choice?.selectedFields,
  }
}

const goneRow = (choice: StreamChoice): StreamRow => ({
  ...{ name: choice.name, namespace: choice.namespace, on: true, gone: true, isNew: false },
  ...{ modes: [], mode: '', cursor: '', cursorFixed: true, key: '', keyFixed: true, columns: [] },
  fixed: [],
})

const fixedOf = ({ primaryKey, cursorField, sourceDefinedCursor }: Discovered) =>
  [...primaryKey, ...(sourceDefinedCursor ? [cursorField] : [])].flatMap(([column]) => column ?? [])

/**
 * What a new connection may begin with: all streams, by the log or a cursor of the source where there
 * is one and a key to keep the newest version by, else whole.
 */
export function suggestedChoices(
  discovered: readonly Discovered[],
  destinationModes: readonly DestinationSyncMode[],
): StreamChoice[] {
  return discovered.map((stream) => {
    const { name, namespace, mode, modes, cursor, keyFixed } = rowOf(
      stream,
      undefined,
      destinationModes,
    )
    const follows = keyFixed && (stream.sourceDefinedCursor || cursor !== '')
    const best = follows && modes.includes(FOLLOWED) ? FOLLOWED : mode
    const [syncMode, destinationSyncMode] = best.split('/')
    return {
      ...{ name, ...(namespace !== undefined && { namespace }) },
      syncMode: syncMode as StreamChoice['syncMode'],
      destinationSyncMode: destinationSyncMode as StreamChoice['destinationSyncMode'],
    }
  })
}
const FOLLOWED = 'incremental/append_dedup'

/** Columns of a stream with their types, as a person reads them. */
export function columnsOf(schema: JsonSchema = {}): { name: string; type: string }[] {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>
  return Object.entries(properties).map(([name, property]) => {
    const types = [property.type ?? 'any'].flat().filter((type) => type !== 'null')
    const type = property.airbyte_type ?? property.format ?? types.join(' or ')
    return { name, type: String(type) }
  })
}

/**
 * What a form says, laid over what the connection has: streams that the page did not show stay as
 * they are, and so does what the page does not ask for (filters, hashed columns).
 */
export function choicesOf(
  form: URLSearchParams,
  configured: readonly StreamChoice[],
): StreamChoice[] {
  const byKey = new Map(configured.map((config) => [streamKey(config), config]))
  const chosen = new Map<string, StreamChoice>(byKey)
  for (let i = 0; form.has(`stream.${i}`); i++) {
    const named = namedStream(form.get(`stream.${i}`) ?? '')
    if (!named) continue
    const key = streamKey(named)
    if (form.get(`on.${i}`) !== 'yes') chosen.delete(key)
    else chosen.set(key, choiceOf(form, i, named, byKey.get(key)))
  }
  return [...chosen.values()]
}

function choiceOf(
  form: URLSearchParams,
  i: number,
  named: { name: string; namespace?: string },
  before: StreamChoice | undefined,
): StreamChoice {
  const [syncMode, destinationSyncMode] = (form.get(`mode.${i}`) ?? '').split('/')
  if (!syncMode || !destinationSyncMode) return before ?? named
  const cursor = form.get(`cursor.${i}`)
  const key = form.get(`key.${i}`)
  const isIncremental = syncMode === 'incremental'
  const cursorField = isIncremental ? (cursor ? [cursor] : before?.cursorField) : undefined
  const primaryKey = key === null ? before?.primaryKey : keyOf(key)
  return {
    ...before,
    ...named,
    syncMode: syncMode as StreamChoice['syncMode'],
    destinationSyncMode: destinationSyncMode as StreamChoice['destinationSyncMode'],
    cursorField,
    primaryKey,
    ...(form.has(`columns.${i}`) && {
      selectedFields: selectedOf(form, i, [cursorField, primaryKey].flat(3)),
    }),
  }
}

/** The ticked columns, and those that a mode needs; undefined where that is all of them. */
function selectedOf(form: URLSearchParams, i: number, needed: (string | undefined)[]) {
  const ticked = [...form.getAll(`column.${i}`), ...needed.filter((name) => name !== undefined)]
  const chosen = [...new Set(ticked)]
  return chosen.length >= Number(form.get(`columns.${i}`)) ? undefined : chosen
}

function namedStream(text: string): { name: string; namespace?: string } | null {
  try {
    const [name, namespace] = JSON.parse(text) as unknown[]
    if (typeof name !== 'string' || !name) return null
    return typeof namespace === 'string' ? { name, namespace } : { name }
  } catch {
    return null
  }
}

function keyOf(text: string): string[][] | undefined {
  const columns = text.split(',').map((column) => column.trim())
  const named = columns.filter((column) => column !== '')
  return named.length > 0 ? named.map((column) => [column]) : undefined
}

const pathText = (path: string | string[]) => [path].flat().join('.')
const keyText = (key: StreamChoice['primaryKey']) =>
  key === undefined ? '' : [key].flat().map(pathText).join(', ')
