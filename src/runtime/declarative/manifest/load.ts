import { AirbyteError, type JsonObject } from '../../../protocol/index.ts'
import { Component } from '../component.ts'
import { refuseBeforeBeta } from '../versions/before-beta.ts'
import { languageOf } from '../versions/language.ts'
import { rewriteOlder } from '../versions/older-nodes.ts'
import { parseYaml } from './parse-yaml.ts'
import { propagate } from './propagate.ts'
import { resolveReferences } from './references.ts'
import { isObject } from './values.ts'

const ROOT_FIELDS = new Set([
  'type',
  'version',
  'check',
  'streams',
  'dynamic_streams',
  'spec',
  'definitions',
  'schemas',
  'concurrency_level',
  'api_budget',
  'stream_groups',
  'max_concurrent_async_job_count',
  'metadata',
  'description',
  '$parameters',
])

/**
 * A manifest ready to build streams from: references replaced, types and parameters spread.
 *
 * @param source YAML or JSON text, or the parsed manifest
 * @throws VALIDATION_FAILED naming the node, or the line and column of the text
 */
export function loadManifest(source: string | JsonObject): Component {
  const parsed = typeof source === 'string' ? parseYaml(source) : source
  const language = languageOf(parsed.version)
  refuseBeforeBeta(parsed, language)
  const resolved = rewriteOlder(resolveReferences(parsed), language)
  resolved.type ??= 'DeclarativeSource'
  if (resolved.type !== 'DeclarativeSource') {
    throw invalid('type', `The manifest is a '${resolved.type}', not a DeclarativeSource.`)
  }
  for (const field of Object.keys(resolved)) {
    if (!ROOT_FIELDS.has(field)) throw invalid(field, `The field '${field}' is not known here.`)
  }
  if (!Array.isArray(resolved.streams) && !Array.isArray(resolved.dynamic_streams)) {
    throw invalid('streams', 'The manifest has no streams.')
  }
  if (!isObject(resolved.check)) throw invalid('check', 'The manifest has no check.')
  // What nothing refers to any more must not be spread: it may be incomplete.
  const { definitions: _, ...live } = resolved
  const root = propagate(live)
  const streams = Array.isArray(root.streams) ? root.streams.filter(isObject) : []
  const parents = new Set<unknown>()
  for (const stream of streams) cacheParents(stream, parents)
  for (const stream of streams) if (parents.has(stream.name)) cache(stream)
  return new Component(root, '')
}

/** Parents are read by several children, and often as streams of their own. */
function cacheParents(node: unknown, names: Set<unknown>): void {
  if (Array.isArray(node)) {
    for (const item of node) cacheParents(item, names)
    return
  }
  if (!isObject(node)) return
  if (node.type === 'ParentStreamConfig' && isObject(node.stream)) {
    names.add(node.stream.name)
    cache(node.stream)
  }
  for (const [name, value] of Object.entries(node)) {
    if (name !== '$parameters' && name !== 'schema') cacheParents(value, names)
  }
}

function cache({ retriever }: JsonObject): void {
  const requester = isObject(retriever) ? retriever.requester : undefined
  if (isObject(requester)) requester.use_cache ??= true
}

const invalid = (field: string, message: string) =>
  new AirbyteError('VALIDATION_FAILED', message, { field: `manifest.${field}` })
