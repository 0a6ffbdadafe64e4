import { AirbyteError } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { textTemplate } from '../interpolation.ts'
import { deepCopy, isMapping } from '../python/mappings.ts'
import { isPlainObject, truthy, type Value } from '../python/values.ts'
import { type FetchItems, truncatedList } from './nested-fetch.ts'
import { isPattern, setAt, valueAt, valuesAt, withoutLists } from './paths.ts'
import type { RecordData } from './types.ts'

/** Makes records of what lies within records. */
export type Expander = (records: RecordData[]) => Promise<RecordData[]>

export const buildExpander = (component: Component, env: Environment): Expander =>
  build(EXPANDERS, component, env)

const EXPANDERS: Builders<Expander, Environment> = {
  /** Each item of a nested list as a record of its own. */
  RecordExpander(component, env) {
    const path = pathOf(component, 'expand_records_from_field', env)
    const emitsParent = component.optionalText('on_no_records') === 'emit_parent'
    const indicator = pathOf(component, 'truncation_indicator_path', env)
    refusePatterns(component, 'truncation_indicator_path', indicator)
    const fetchAll = truncatedList(component, env)
    if (fetchAll && indicator.length === 0) {
      throw component.refuse('A truncated_list_retriever needs it.', 'truncation_indicator_path')
    }
    if (fetchAll) refusePatterns(component, 'expand_records_from_field', path)
    const warn = once((message) => env.ctx.log('warn', `${env.stream}: ${message}`))
    const inherit = inheritance(component, path, env)

    const expandOne = async (parent: RecordData): Promise<RecordData[]> => {
      if (!isMapping(parent) || path.length === 0) return [parent]
      const isCut = indicator.length > 0 && truthy(valueAt(parent, indicator))
      const items = await itemsOf(parent, path, isCut ? fetchAll : undefined)
      if (isCut) tellWhatIsMissing(parent, indicator, items.length, fetchAll, warn)
      if (items.length === 0) return emitsParent ? [parent] : []
      const heir = inherit(parent)
      return items.map(heir)
    }
    return async (records) => {
      const expanded: RecordData[] = []
      for (const record of records) {
        for (const item of await expandOne(record)) expanded.push(item)
      }
      return expanded
    }
  },
}

const pathOf = (component: Component, field: string, env: Environment) =>
  component
    .list(field)
    .map((part) => textTemplate(String(part), { env, parameters: component.parameters })())

function refusePatterns(component: Component, field: string, path: string[]): void {
  if (path.some(isPattern)) throw component.refuse('It must be the path of a single field.', field)
}

/** What is fetched counts; where nothing comes, what the record holds itself. */
async function itemsOf(
  parent: RecordData,
  path: string[],
  fetchAll: FetchItems | undefined,
): Promise<Value[]> {
  const fetched = (await fetchAll?.(parent)) ?? []
  if (fetched.length > 0) return fetched
  return valuesAt(parent, path)
    .filter((value) => Array.isArray(value))
    .flat() as Value[]
}

function tellWhatIsMissing(
  parent: RecordData,
  indicator: string[],
  count: number,
  fetchAll: FetchItems | undefined,
  warn: (message: string) => void,
): void {
  const total = valueAt(parent, [...indicator.slice(0, -1), 'total_count'])
  if (!fetchAll) {
    warn(`a nested list is cut off and its other items are lost; add a truncated_list_retriever.`)
  } else if (typeof total === 'number' && count < total) {
    warn(`of ${total} items of a nested list ${count} came; does its retriever have a paginator?`)
  }
}

const once = (tell: (message: string) => void) => {
  let isTold = false
  return (message: string) => {
    if (!isTold) tell(message)
    isTold = true
  }
}

/** Gives an item what it has of its parent: all fields, some, or the whole of it. */
function inheritance(component: Component, path: string[], env: Environment) {
  const merges = component.flag('merge_parent')
  const keepsOriginal = component.flag('remain_original_record')
  const fields = component.children('parent_fields').map((field) => parentField(field, env))
  const inherits = merges || keepsOriginal || fields.length > 0
  return (parent: RecordData) => {
    const base = merges ? (withoutLists(parent, path) as RecordData) : undefined
    return (item: Value): RecordData => {
      const isRecord = isMapping(item)
      if (!isRecord && !inherits) return item as RecordData
      const own = isRecord ? (item as RecordData) : { value: item }
      const record: RecordData = base ? { ...(deepCopy(base) as RecordData), ...own } : { ...own }
      for (const copy of fields) copy(parent, record)
      if (keepsOriginal) record.original_record = deepCopy(parent)
      return record
    }
  }
}

function parentField(component: Component, env: Environment) {
  const from = pathOf(component, 'parent_path', env)
  const to = pathOf(component, 'record_path', env)
  for (const [field, path] of Object.entries({ parent_path: from, record_path: to })) {
    if (path.length === 0) throw component.refuse('It is empty.', field)
    refusePatterns(component, field, path)
  }
  return (parent: RecordData, record: RecordData): void => {
    if (!hasRoom(record, to)) {
      throw new AirbyteError(
        'SOURCE_MISCONFIGURED',
        `${component.path}: '${to.join('.')}' of an item is taken by a value that is no object.`,
      )
    }
    setAt(record, to, deepCopy(valueAt(parent, from) ?? null))
  }
}

function hasRoom(record: RecordData, path: string[]): boolean {
  let node: Value = record
  for (const segment of path.slice(0, -1)) {
    if (!isPlainObject(node)) return false
    if (!Object.hasOwn(node, segment)) return true
    node = node[segment]
  }
  return isPlainObject(node)
}
