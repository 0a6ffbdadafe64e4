import { type Builders, build, type Component } from '../component.ts'
import { customPart } from '../custom/part.ts'
import { type Environment, type Slice, sliceScope } from '../environment.ts'
import { condition, recordTemplate, textTemplate } from '../interpolation.ts'
import { toJson } from '../python/json.ts'
import { isMapping, setOwn } from '../python/mappings.ts'
import { isPlainObject, PyObject, Tuple, type Value } from '../python/values.ts'
import { flattenFields, replaceFields, snakeCase } from './keys.ts'
import { deleteAt, firstAt, isPattern, setAt } from './paths.ts'
import type { RecordData } from './types.ts'
import { validTypesOf } from './value-types.ts'

/** Changes a record in place. */
export interface Transformation {
  (record: RecordData, slice: Slice): void
  /** The same as a new record, where that is faster: engines hold an object slowly that lost a field. */
  anew?(record: RecordData): RecordData
}

export const buildTransformation = (component: Component, env: Environment): Transformation =>
  build(TRANSFORMATIONS, component, env)

const TRANSFORMATIONS: Builders<Transformation, Environment> = {
  CustomTransformation: (component, env) =>
    customPart('transformation', component, env.custom, { env }),

  AddFields(component, env) {
    const bound = { env, parameters: component.parameters }
    const fields = component.children('fields').map((field) => {
      const source = String(field.required('value'))
      const own = { env, parameters: { ...bound.parameters, ...field.parameters } }
      const validTypes = validTypesOf(field.optionalText('value_type'))
      return {
        path: field.list('path').map((segment) => textTemplate(String(segment), own)()),
        value: recordTemplate(source, own, { validTypes }),
      }
    })
    const source = component.optionalText('condition')
    const applies = source ? condition(source, bound) : undefined
    const openIn = memoized((slice: Slice) => {
      const scope = sliceScope(slice)
      return { scope, open: fields.map(({ path, value }) => ({ path, read: value(scope) })) }
    })
    return (record, slice) => {
      const { scope, open } = openIn(slice)
      for (const { path, read } of open) {
        const added = read(record) as Value
        if (applies && !applies({ ...scope, record, value: added, path })) continue
        setAt(record, path, storable(added))
      }
    }
  },

  RemoveFields(component, env) {
    const pointers = component.list('field_pointers').map((pointer) => {
      if (!Array.isArray(pointer)) throw component.refuse('A pointer is a list.', 'field_pointers')
      return pointer.map(String)
    })
    const source = component.optionalText('condition')
    if (!source) {
      const remove: Transformation = (record) => {
        for (const pointer of pointers) deleteAt(record, pointer)
      }
      const names = pointers.flat()
      const areOwn = pointers.every(({ length }) => length === 1) && !names.some(isPattern)
      return areOwn ? Object.assign(remove, { anew: without(new Set(names)) }) : remove
    }
    // As the reference does: with a condition every leaf is asked, wherever the pointer points.
    const applies = condition(source, { env, parameters: component.parameters })
    return (record) => removeLeaves(record, (property) => applies({ property }))
  },

  KeysToLower: () => (record) =>
    replaceFields(
      record,
      Object.entries(record).map(([key, value]) => [key.toLowerCase(), value]),
    ),

  KeysToSnakeCase: () => (record) => renameDeep(record, snakeCase),

  KeysReplace(component, env) {
    const bound = { env, parameters: component.parameters }
    const [old, fresh] = [component.text('old'), component.text('new')].map((text) =>
      textTemplate(text, bound),
    )
    return (record, slice) => {
      const scope = { ...sliceScope(slice), record }
      const [from = '', to = ''] = [old?.(scope), fresh?.(scope)]
      renameDeep(record, (key) => key.replaceAll(from, to))
    }
  },

  FlattenFields(component) {
    const lists = component.flag('flatten_lists', true)
    return (record) => replaceFields(record, [...flattenFields(record, lists)])
  },

  DpathFlattenFields(component, env) {
    const bound = { env, parameters: component.parameters }
    const path = component.list('field_path').map((part) => textTemplate(String(part), bound)())
    const removes = component.flag('delete_origin_value')
    const replaces = component.flag('replace_record')
    const renaming = component.optionalChild('key_transformation')
    const [prefix, suffix] = ['prefix', 'suffix'].map((name) =>
      textTemplate(renaming?.optionalText(name) ?? '', bound)(),
    )
    return (record) => {
      const found = firstAt(record, path)
      if (!isPlainObject(found)) return
      const entries = Object.entries(found).map(([key, value]): [string, Value] => [
        `${prefix}${key}${suffix}`,
        value,
      ])
      if (replaces && entries.length > 0) return replaceFields(record, entries)
      if (entries.some(([key]) => Object.hasOwn(record, key))) return
      if (removes) deleteAt(record, path)
      for (const [key, value] of entries) setOwn(record, key, value)
    }
  },
}

const without = (names: ReadonlySet<string>) => (record: RecordData) => {
  if (!isPlainObject(record)) return record
  const kept: RecordData = {}
  for (const name in record) if (!names.has(name)) setOwn(kept, name, record[name])
  return kept
}

function renameDeep(record: RecordData, rename: (key: string) => string): void {
  const renamed = (node: RecordData): [string, Value][] =>
    Object.entries(node).map(([key, value]) => {
      if (!isPlainObject(value)) return [rename(key), value]
      const inner: RecordData = {}
      for (const [name, item] of renamed(value)) setOwn(inner, name, item)
      return [rename(key), inner]
    })
  replaceFields(record, renamed(record))
}

function removeLeaves(node: Value, applies: (leaf: Value) => boolean): void {
  if (!isPlainObject(node)) return
  for (const [key, value] of Object.entries(node)) {
    if (isMapping(value) || Array.isArray(value)) removeLeaves(value, applies)
    else if (applies(value)) delete node[key]
  }
}

/** What a slice needs is made once for its records. */
function memoized<Made>(make: (slice: Slice) => Made): (slice: Slice) => Made {
  let last: { slice: Slice; made: Made } | undefined
  return (slice) => {
    if (last?.slice !== slice) last = { slice, made: make(slice) }
    return last.made
  }
}

/** What a template made, as a record can hold it. */
const storable = (value: Value): Value =>
  value instanceof PyObject || value instanceof Tuple || Array.isArray(value)
    ? toJson(value)
    : value
