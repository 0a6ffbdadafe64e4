import { AirbyteError, type Column, streamKey } from '../../protocol/index.ts'
import { fieldsIn, type Retyped, retypedFields } from '../normalization/index.ts'
import type { PlanSettings, StreamPlanSettings } from './types.ts'

/**
 * Those that are selected, as far as the connection's policy takes what is new.
 *
 * @throws SCHEMA_CHANGED
 */
export function chooseColumns(
  input: PlanSettings,
  stream: StreamPlanSettings,
  available: Column[],
  paths: string[][],
): Column[] {
  const always = new Set(paths.map(([field]) => field))
  const selected = stream.config.selectedFields
  const wanted = selected
    ? available.filter((c) => selected.includes(c.name) || always.has(c.name))
    : available
  if (stream.knownColumns.length === 0) return wanted
  const known = new Set(stream.knownColumns.map((column) => column.name))
  if (input.schemaChanges === 'ignore') {
    return wanted.filter((c) => known.has(c.name) || always.has(c.name))
  }
  if (input.schemaChanges === 'disable') {
    const now = namesOf(wanted)
    refuseChange(stream, {
      added: now.filter((name) => !known.has(name)),
      removed: [...known].filter((name) => !now.includes(name)),
      retyped: retypedIn(stream, wanted),
    })
  }
  return wanted
}

/**
 * A boolean and a number have no value in common: rows that are there would stay true and false, and
 * under dedup those of a key would stay beside the new ones. Destinations whose files have the types of their
 * time would not notice.
 *
 * @throws SCHEMA_CHANGED
 */
export function refuseOtherBooleans(stream: StreamPlanSettings, columns: Column[]): void {
  const { config, generationRows, generationId, minimumGenerationId } = stream
  const isReplaced = config.destinationSyncMode.startsWith('overwrite')
  if (isReplaced || (generationRows === 0 && minimumGenerationId >= generationId)) return
  const known = new Map(stream.knownColumns.map(({ name, type }) => [name, type]))
  const other = columns.find(({ name, type }) => {
    const before = known.get(name)
    return before !== undefined && before !== type && [before, type].includes('boolean')
  })
  if (!other) return
  const key = streamKey(config)
  const message = `The column '${other.name}' of ${key} was of type ${known.get(other.name)} and is of type ${other.type} now: rows that are there would keep what they have.`
  throw new AirbyteError('SCHEMA_CHANGED', message, {
    ...{ stream: key, field: other.name },
    hint: 'Refresh the stream, with remove: it is read again from the start. Or set the source as it was.',
  })
}

export const namesOf = (columns: Column[]) => columns.map(({ name }) => name)

export const retypedIn = ({ knownColumns }: StreamPlanSettings, columns: Column[]): Retyped[] =>
  retypedFields(
    knownColumns.flatMap((column) => fieldsIn(column)),
    columns.flatMap((column) => fieldsIn(column)),
  )

/** @throws SCHEMA_CHANGED where anything has changed */
export function refuseChange(
  stream: StreamPlanSettings,
  change: { added?: string[]; removed?: string[]; retyped?: Retyped[] },
): void {
  const { added = [], removed = [], retyped = [] } = change
  if (added.length + removed.length + retyped.length === 0) return
  const types = retyped.map(({ name, from, to }) => `${name} ${from} → ${to}`)
  const parts = [
    added.length > 0 ? `new: ${added.join(', ')}` : '',
    removed.length > 0 ? `gone: ${removed.join(', ')}` : '',
    types.length > 0 ? `retyped: ${types.join(', ')}` : '',
  ]
  const key = streamKey(stream.config)
  const message = `The columns of ${key} changed (${parts.filter(Boolean).join('; ')}).`
  throw new AirbyteError('SCHEMA_CHANGED', message, { stream: key })
}
