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
