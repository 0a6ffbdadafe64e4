import { AirbyteError, isObject, type JsonObject } from '../../../protocol/index.ts'
import { Component } from '../component.ts'
import { refuseBeforeBeta } from '../versions/before-beta.ts'
import { languageOf } from '../versions/language.ts'
import { rewriteOlder } from '../versions/older-nodes.ts'
import { parseYaml } from './parse-yaml.ts'
import { propagate } from './propagate.ts'
import { resolveReferences } from './references.ts'
import { type Problem, validateManifest } from './validate.ts'

/** The root of a manifest. */
export class Manifest extends Component {
  /** Fields that have no meaning, each by its path. */
  readonly unknown: Problem[]

  constructor(fields: JsonObject, unknown: Problem[]) {
    super(fields, '')
    this.unknown = unknown
  }
}

/**
 * A manifest ready to build streams from: references replaced, types and parameters spread.
 *
 * @param source YAML or JSON text, or the parsed manifest
 * @throws VALIDATION_FAILED naming the node, or the line and column of the text
 */
export function loadManifest(source: string | JsonObject): Manifest {
  const parsed = typeof source === 'string' ? parseYaml(source) : source
  const language = languageOf(parsed.version)
  refuseBeforeBeta(parsed, language)
  const resolved = rewriteOlder(resolveReferences(parsed), language)
  resolved.type ??= 'DeclarativeSource'
  if (resolved.type !== 'DeclarativeSource') {
    throw invalid('manifest.type', `The manifest is a '${resolved.type}', not a DeclarativeSource.`)
  }
  if (!Array.isArray(resolved.streams) && !Array.isArray(resolved.dynamic_streams)) {
    throw invalid('manifest.streams', 'The manifest has no streams.')
  }
  if (!isObject(resolved.check)) throw invalid('manifest.check', 'The manifest has no check.')
  // What nothing refers to any more must not be spread: it may be incomplete.
  const { definitions: _, ...live } = resolved
  const root = propagate(live)
  const { problems, unknown } = validateManifest(root)
  // What a newer language may mean is told by the stream that needs it.
  if (!language.isNewer) refuse(problems)
  const streams = Array.isArray(root.streams) ? root.streams.filter(isObject) : []
  const parents = new Set<unknown>()
  for (const stream of streams) cacheParents(stream, parents)
  for (const stream of streams) if (parents.has(stream.name)) cache(stream)
  return new Manifest(root, language.isNewer ? [...problems, ...unknown] : unknown)
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

function refuse([first, ...others]: Problem[]): void {
  if (!first) return
  const more = others.slice(0, MAX_NAMED).map(({ path }) => path)
  if (others.length > more.length) more.push(`${others.length - more.length} more`)
  const also = more.length > 0 ? ` Also wrong: ${more.join(', ')}.` : ''
  const field = /[.[]/.test(first.path) ? first.path : `manifest.${first.path}`
  throw invalid(field, `${field}: ${first.message}${also}`)
}

const MAX_NAMED = 5

const invalid = (field: string, message: string) =>
  new AirbyteError('VALIDATION_FAILED', message, { field })
