import { isDedup, isOfLog } from '../../protocol/index.ts'
import type { StreamOutlook } from './streams.ts'

export interface PlanWarning {
  code: string
  stream?: string
  message: string
}

/** What a person should know of a stream before agreeing; null where it does not apply. */
const RULES: Record<string, (stream: StreamOutlook) => string | null> = {
  STREAM_REFUSED: ({ view }) =>
    view.problem ? `It would fail: ${view.problem.message} ${view.problem.hint}` : null,
  ROWS_REPLACED: ({ view: { action, target, targetRows } }) =>
    action === 'replace' && targetRows !== 0
      ? `${targetRows === undefined ? 'Rows that are' : `The ${targetRows} rows`} in ${target} are replaced when the first sync completes.`
      : null,
  ROWS_REPEATED: ({ view }) =>
    view.syncMode === 'full_refresh' && view.destinationSyncMode === 'append'
      ? 'Every sync adds all rows again.'
      : null,
  VERSIONS_APPENDED: ({ view }) =>
    view.syncMode === 'incremental' && view.destinationSyncMode === 'append'
      ? 'A row that changes is added again; the target keeps every version.'
      : null,
  DELETES_NOT_SEEN: ({ view: { syncMode, captures } }) =>
    syncMode === 'incremental' && captures?.deletes === false
      ? 'Rows that are deleted at the source stay in the target.'
      : null,
  UPDATES_NOT_SEEN: ({ view: { syncMode, captures } }) =>
    syncMode === 'incremental' && captures?.updates === false
      ? 'Rows that change without their cursor growing are not read again.'
      : null,
  NULL_CURSORS_NOT_SEEN: ({ view: { syncMode, destinationSyncMode, captures, cursorField } }) =>
    syncMode === 'incremental' &&
    destinationSyncMode === 'append' &&
    captures?.nullCursors?.includes(cursorField[0] ?? '')
      ? `The cursor '${cursorField[0]}' may be null: rows that come without a value after the first sync are not read, and counted in the receipt. Merge the stream by key, or take a cursor that is never null.`
      : null,
  FILTERED_ROWS_STAY: ({ found, config, view: { syncMode, destinationSyncMode } }) =>
    syncMode === 'incremental' &&
    isDedup(destinationSyncMode) &&
    config.mapping?.filter &&
    !isOfLog(found.default_cursor_field?.[0] ?? '')
      ? 'A row that was loaded and no longer fulfils the filter stays in the target as it was. Read by its log (CDC), where the source has one, it would be removed.'
      : null,
  COLUMNS_KEPT: ({ rehearsal, view }) => {
    const wanted = new Set(view.columns.map(({ name }) => name))
    const kept = (rehearsal?.existing ?? [])
      .map(({ name }) => name)
      .filter((name) => !wanted.has(name) && !/^_a(irbyte|b_cdc)_/.test(name))
    return kept.length > 0 && view.action !== 'replace'
      ? `Columns of ${view.target} that the stream lacks stay and get nulls: ${kept.slice(0, 10).join(', ')}.`
      : null
  },
  SIZE_UNKNOWN: ({ found }) =>
    found.estimated_rows === undefined ? 'The source does not say how many rows it has.' : null,
}

/** By rule; one that holds for many streams says so once. */
export function warningsOf(streams: StreamOutlook[]): PlanWarning[] {
  return Object.entries(RULES).flatMap(([code, rule]) => {
    const found = streams.flatMap((stream) => {
      const message = rule(stream)
      return message === null ? [] : [{ code, stream: stream.view.stream, message }]
    })
    return summed(found)
  })
}

const MOST_SINGLE = 5

function summed(warnings: PlanWarning[]): PlanWarning[] {
  const [first] = warnings
  const alike = warnings.every(({ message }) => message === first?.message)
  if (!first || !alike || warnings.length <= MOST_SINGLE) return warnings
  const message = `${warnings.length} streams, such as ${first.stream}: ${first.message}`
  return [{ code: first.code, message }]
}
