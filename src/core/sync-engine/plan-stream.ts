import {
  AirbyteError,
  type AirbyteStream,
  type Column,
  type ConfiguredStream,
  columnsOf,
  type DestinationSyncMode,
  type FieldRange,
  isDedup,
  streamKey,
  withFileReference,
} from '../../protocol/index.ts'
import type { DestinationCapabilities, SourceCapabilities } from '../../runtime/contract.ts'
import { nearest } from '../nearest.ts'
import {
  childTables,
  FLATTEN_DEFAULTS,
  flatPath,
  isCalledAsLink,
  mappedColumns,
  mappedPath,
  type PlannedMapping,
  tableColumns,
  tablesIn,
  withMembers,
  withoutNew,
  withTables,
} from '../normalization/index.ts'
import {
  chooseColumns,
  namesOf,
  refuseChange,
  refuseOtherBooleans,
  retypedIn,
} from './choose-columns.ts'
import { takenFrom } from './connection-tables.ts'
import { basisOf, keyColumns, refuseRemade } from './row-basis.ts'
import type { Normalization, PlannedStream, PlanSettings, StreamPlanSettings } from './types.ts'

interface Capabilities {
  source: SourceCapabilities
  destination: DestinationCapabilities
}

/**
 * One stream's part of a sync's frozen plan: keys and cursor resolved, columns chosen by the
 * connection's policy, the cheapest path that source and destination share.
 * Throws what the person must decide: SCHEMA_CHANGED, CURSOR_MISSING, PRIMARY_KEY_MISSING.
 */
export function planStream(
  input: PlanSettings,
  stream: StreamPlanSettings,
  discovered: AirbyteStream,
  capabilities: Capabilities,
): PlannedStream {
  const { config } = stream
  const hasFiles = config.includeFiles === true && discovered.is_file_based === true
  const found = hasFiles ? withFileReference(discovered) : discovered
  const key = streamKey(config)
  const available = columnsOf(found.json_schema)
  const primaryKey = config.primaryKey ?? found.source_defined_primary_key ?? []
  const cursorField = resolveCursor(stream, found)
  if (stream.range) requireRange(key, stream.range, available, capabilities.source)
  requireColumns(key, available, primaryKey, cursorField, config.destinationSyncMode)
  const normalization = config.normalization ?? input.normalization
  const { column_ids: _, ...own } = found
  const chosen = chooseColumns(input, stream, available, [...primaryKey, cursorField])
  refuseOtherBooleans(stream, chosen)
  const isMerged = isDedup(config.destinationSyncMode)
  const writtenKey = isMerged ? keyColumns(primaryKey, config.mapping) : undefined
  const basis = basisOf(found, namesOf(chosen), writtenKey, stream.basis)
  // What is appended is what it was at its time.
  if (stream.basis && config.destinationSyncMode !== 'append')
    refuseRemade(key, stream.basis, basis)
  if (normalization === 'nested' && !capabilities.destination.children) throw notNested(key)
  const isExpanded = normalization === 'flatten' || normalization === 'nested'
  const { columns, ignored } = isExpanded
    ? expand(input, stream, found, chosen, normalization, [...primaryKey, cursorField])
    : { columns: chosen, ignored: [] }
  const isFlattened = columns.some(({ members, elements }) => members ?? elements)
  const leaves = isMerged && config.mapping?.filter && leavingRows(primaryKey, cursorField, found)
  const mapping = config.mapping && {
    ...{ ...config.mapping, salt: saltOf(input), columns },
    ...(leaves && { leaves }),
  }
  const isCopied = normalization !== 'raw' && !mapping && !isFlattened
  const path = stream.replay
    ? replayPath(key, capabilities.destination)
    : choosePath(input, isCopied, capabilities)
  const configured: ConfiguredStream = {
    stream: own,
    syncMode: config.syncMode,
    ...(stream.range && { range: stream.range }),
    destinationSyncMode: config.destinationSyncMode,
    cursorField,
    primaryKey,
    generationId: stream.generationId,
    minimumGenerationId: stream.minimumGenerationId,
    syncId: input.syncId,
    lookbackSeconds: config.lookbackSeconds,
    ...(hasFiles && { files: { prefix: `files/${input.connectionId}/` } }),
    format: path.read,
    ...(keepsUnchanged(columns, normalization, config, capabilities) && {
      keepsUnchanged: true,
    }),
    ...(columns.length < available.length ? { selectedFields: columns.map((c) => c.name) } : {}),
  }
  const namespace = input.namespace ?? found.namespace
  const mapped = mapping ? mappedColumns(columns, mapping) : columns
  refuseTwins(key, columns, mapped)
  const pathOf = (path: string[]) => flatPath(mapping ? mappedPath(path, mapping) : path, mapped)
  const children = childTables(mapped, input.prefix ?? '')
  return {
    key,
    configured,
    transfer: path.transfer,
    passThrough: path.passThrough,
    stateBefore: stream.state,
    generationRows: stream.generationRows,
    ...(stream.replay && { replay: stream.replay }),
    ...(mapping && { mapping }),
    ...(isFlattened && { flattened: columns }),
    ...(ignored.length > 0 && { ignored }),
    ...(Object.keys(basis).length > 0 && { basis }),
    plan: {
      connectionId: input.connectionId,
      syncId: input.syncId,
      stream: { name: found.name, ...(found.namespace ? { namespace: found.namespace } : {}) },
      target: {
        ...(capabilities.destination.namespaces && namespace ? { namespace } : {}),
        table: `${input.prefix ?? ''}${found.name}`,
      },
      columns: tableColumns(mapped),
      ...(children.length > 0 && { children }),
      mode: config.destinationSyncMode,
      primaryKey: primaryKey.map(pathOf),
      cursorField: pathOf(cursorField),
      generationId: stream.generationId,
      minimumGenerationId: stream.minimumGenerationId,
      normalization: normalization === 'raw' ? 'raw' : 'basic',
      format: path.load,
      ...(leaves && { filtered: true }),
    },
  }
}

/** A mapping was checked against the columns of its day; one that came since may have the name that it gives. */
function refuseTwins(key: string, columns: Column[], mapped: Column[]): void {
  const sources = new Map<string, string>()
  for (const [i, { name }] of mapped.entries()) {
    const source = columns[i]?.name ?? name
    const other = sources.get(name)
    if (other !== undefined) {
      const message = `Two columns of ${key} would be called '${name}': '${other}' and '${source}'.`
      throw new AirbyteError('SCHEMA_CHANGED', message, {
        ...{ stream: key, field: 'mapping.rename' },
        hint: 'Give the renamed one another name, or leave one of them out of selectedFields.',
      })
    }
    sources.set(name, source)
  }
}

/**
 * A change log has the change as it is; a merge must be able to find what it left out: a column or its
 * members, not the rows of other tables, nor what came with a change that a filter left out.
 */
function keepsUnchanged(
  columns: Column[],
  normalization: Normalization,
  { destinationSyncMode, mapping }: StreamPlanSettings['config'],
  { destination }: Capabilities,
): boolean {
  if (!isDedup(destinationSyncMode)) return true
  if (mapping?.filter) return false
  const inColumns = normalization !== 'raw' && tablesIn(columns).length === 0
  return (destination.keepsUnchanged ?? false) !== false && inColumns
}

/** A key that is the source's own is free where a row is inserted: nothing can leave. */
function leavingRows(
  primaryKey: string[][],
  [cursor]: string[],
  { source_defined_primary_key: own = [] }: AirbyteStream,
): PlannedMapping['leaves'] {
  const names = (paths: string[][]) => paths.map(([name]) => name ?? '').sort()
  const keys = names(primaryKey)
  return {
    keys,
    ...(cursor !== undefined && { cursor }),
    inserts: keys.join('\0') !== names(own).join('\0'),
  }
}

function expand(
  input: PlanSettings,
  stream: StreamPlanSettings,
  { json_schema: schema, name }: AirbyteStream,
  columns: Column[],
  normalization: Normalization,
  paths: string[][],
): { columns: Column[]; ignored: Column[] } {
  const { config, knownColumns } = stream
  const options = { ...FLATTEN_DEFAULTS, ...input.flattening, arrays: normalization === 'nested' }
  const { rename } = config.mapping ?? {}
  const expanded = withMembers(columns, schema, options, knownColumns, rename)
  const asked = input.schemaChanges === 'ignore' || input.schemaChanges === 'disable'
  const kept =
    asked && knownColumns.length > 0
      ? withoutNew(expanded, knownColumns, paths)
      : { columns: expanded, ignored: [] }
  if (input.schemaChanges === 'disable') {
    // Those that are called as links were there, and left out, before they could be columns.
    const added = namesOf(kept.ignored).filter((path) => !isCalledAsLink(path))
    refuseChange(stream, { added, retyped: retypedIn(stream, kept.columns) })
  }
  const tables = withTables(kept.columns, name, options, takenFrom(input, config), rename)
  return { ...kept, columns: tables }
}

const notNested = (key: string) =>
  new AirbyteError('UNSUPPORTED', `The destination of ${key} has no tables for arrays.`, {
    ...{ stream: key, field: 'normalization' },
    hint: "Use normalization 'flatten' or 'basic'.",
  })

function saltOf({ hashSalt }: PlanSettings): string {
  return hashSalt ?? ''
}

function resolveCursor({ config, range }: StreamPlanSettings, found: AirbyteStream): string[] {
  // Rows that a backfill brings are merged by the same cursor as those of any other sync.
  if (range) return config.cursorField ?? []
  if (config.syncMode !== 'incremental') return []
  if (found.source_defined_cursor) return found.default_cursor_field ?? []
  const cursor = config.cursorField ?? found.default_cursor_field
  if (cursor && cursor.length > 0) return cursor
  const key = streamKey(config)
  throw new AirbyteError('CURSOR_MISSING', `The incremental stream ${key} has no cursor field.`, {
    stream: key,
  })
}

function requireRange(
  key: string,
  { field }: FieldRange,
  available: Column[],
  source: SourceCapabilities,
): void {
  if (!source.ranges) {
    throw new AirbyteError('UNSUPPORTED', `The source of ${key} cannot read ranges.`, {
      stream: key,
      hint: 'Refresh the stream instead: it is read again from the start.',
    })
  }
  const names = available.map((column) => column.name)
  if (names.includes(field)) return
  throw new AirbyteError('VALIDATION_FAILED', `${key} has no column '${field}'.`, {
    ...{ stream: key, field: 'backfill.field', didYouMean: nearest(field, names) },
  })
}

function requireColumns(
  key: string,
  available: Column[],
  primaryKey: string[][],
  cursorField: string[],
  mode: DestinationSyncMode,
): void {
  const names = new Set(available.map((column) => column.name))
  const gone = [...primaryKey, cursorField].find(
    ([field]) => field !== undefined && !names.has(field),
  )
  if (gone) {
    const message = `The stream ${key} no longer has its key or cursor column ${gone[0]}.`
    throw new AirbyteError('SCHEMA_CHANGED', message, { stream: key })
  }
  if (!isDedup(mode) || primaryKey.length > 0) return
  throw new AirbyteError('PRIMARY_KEY_MISSING', `${key} has no primary key to deduplicate by.`, {
    stream: key,
  })
}

/** Rejected rows are few, and only a ledger says which of them are there already. */
function replayPath(key: string, { ledger, formats }: DestinationCapabilities) {
  if (!ledger) {
    const message = `The destination of ${key} does not remember what it has loaded.`
    throw new AirbyteError('UNSUPPORTED', message, {
      ...{ stream: key, hint: 'Refresh the stream instead: it is read again from the start.' },
    })
  }
  const load = formats.includes('pg-copy-text') ? ('pg-copy-text' as const) : ('records' as const)
  return { read: 'records' as const, load, passThrough: false, transfer: 'direct' as const }
}

/** The cheapest path: bytes that pass through untouched, else COPY text that is decoded once, else records. */
function choosePath(input: PlanSettings, isCopied: boolean, { source, destination }: Capabilities) {
  const takes = destination.formats.includes('pg-copy-text')
  const gives = source.formats.includes('pg-copy-text')
  const sameDialect = source.dialect !== undefined && source.dialect === destination.dialect
  const direct = destination.ledger && source.rereadable
  const wantsDirect = input.transfer === 'auto' ? destination.transfer : input.transfer
  return {
    read: gives ? ('pg-copy-text' as const) : ('records' as const),
    load: takes ? ('pg-copy-text' as const) : ('records' as const),
    passThrough: takes && gives && sameDialect && isCopied,
    transfer: direct && wantsDirect === 'direct' ? ('direct' as const) : ('staged' as const),
  }
}
