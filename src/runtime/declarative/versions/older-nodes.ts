import { AirbyteError, isObject, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import type { ChangeName } from './changes.ts'
import type { Language } from './language.ts'

/** A node of an older language in the words of the newest, or as it is. */
interface Rewrite {
  change: ChangeName
  type: string
  rewrite(node: JsonObject, path: string): JsonObject
}

const REWRITES: Rewrite[] = [
  {
    change: 'decoderNames',
    type: 'GzipJsonDecoder',
    rewrite: (node, path) => decoderOf({ ...node, type: 'GzipParser' }, path),
  },
  {
    change: 'decoderNames',
    type: 'CompositeRawDecoder',
    rewrite: ({ parser }, path) => decoderOf(parser, `${path}.parser`),
  },
  {
    change: 'decoderNames',
    type: 'ZipfileDecoder',
    rewrite: ({ parser, ...node }, path) =>
      parser === undefined ? node : { ...node, decoder: decoderOf(parser, `${path}.parser`) },
  },
  {
    change: 'asyncNames',
    type: 'AsyncRetriever',
    rewrite: (node) =>
      renamed(retold(node) as JsonObject, {
        urls_extractor: 'download_target_extractor',
        url_requester: 'download_target_requester',
      }),
  },
  {
    change: 'legacySessionToken',
    type: 'SessionTokenAuthenticator',
    rewrite: (node) =>
      'login_url' in node ? { ...node, type: 'LegacySessionTokenAuthenticator' } : node,
  },
  {
    change: 'rulesWithoutType',
    type: 'Spec',
    rewrite: ({ config_normalization_rules: rules, ...node }) =>
      isObject(rules)
        ? { ...node, config_normalization_rules: { type: 'ConfigNormalizationRules', ...rules } }
        : node,
  },
]

/**
 * A manifest whose older nodes have their present names.
 *
 * @throws VALIDATION_FAILED naming a node that has no present form
 */
export function rewriteOlder(manifest: JsonObject, language: Language): JsonObject {
  const rewrites = REWRITES.filter(({ change }) => language.was(change))
  if (rewrites.length === 0) return manifest

  function rewrite(node: JsonValue, path: string): JsonValue {
    if (Array.isArray(node)) return node.map((item, index) => rewrite(item, `${path}[${index}]`))
    if (!isObject(node)) return node
    const type = path === 'spec' ? 'Spec' : node.type
    let rewritten = node
    for (const known of rewrites) {
      if (known.type === type) rewritten = known.rewrite(rewritten, path)
    }
    return Object.fromEntries(
      Object.entries(rewritten).map(([name, value]) => [
        name,
        SCHEMAS.has(name) ? value : rewrite(value, path === '' ? name : `${path}.${name}`),
      ]),
    )
  }
  return rewrite(manifest, '') as JsonObject
}

/** JSON schemas: a `type` in them is another thing. */
const SCHEMAS = new Set(['schema', 'schemas', 'connection_specification'])

const DECODERS: Record<string, string> = {
  JsonParser: 'JsonDecoder',
  JsonLineParser: 'JsonlDecoder',
  CsvParser: 'CsvDecoder',
  GzipParser: 'GzipDecoder',
}

/** A parser as the decoder that took its place. */
function decoderOf(parser: JsonValue | undefined, path: string): JsonObject {
  const { type, inner_parser, ...fields } = isObject(parser) ? parser : {}
  const name = DECODERS[String(type)]
  if (!name) throw invalid(path, `The parser '${type}' is not known.`)
  if (name === 'CsvDecoder') return { ...fields, type: name }
  const { encoding = 'utf-8', ...rest } = fields
  if (!/^utf-?8$/i.test(String(encoding))) {
    throw invalid(`${path}.encoding`, `The encoding '${encoding}' cannot be read here.`)
  }
  if (name !== 'GzipDecoder') return { ...rest, type: name }
  const decoder = inner_parser ? decoderOf(inner_parser, `${path}.inner_parser`) : JSON_DECODER
  return { ...rest, type: name, decoder }
}

const JSON_DECODER: JsonObject = { type: 'JsonDecoder' }

function renamed(node: JsonObject, names: Record<string, string>): JsonObject {
  return Object.fromEntries(
    Object.entries(node).map(([name, value]) => [names[name] ?? name, value]),
  )
}

/** What templates of an asynchronous job saw in the slice, and the names that it has now. */
const JOB_NAMES: [RegExp, string][] = [
  [inSlice('create_job_response', String.raw`\.json\(\)`), 'creation_response'],
  [inSlice('create_job_response', String.raw`\.headers`), "creation_response['headers']"],
  [inSlice('polling_job_response', String.raw`\.json\(\)`), 'polling_response'],
  [inSlice('polling_job_response', String.raw`\.headers`), "polling_response['headers']"],
  [inSlice(String.raw`extra_fields(?:\.url\b|\[['"]url['"]\])`, ''), 'download_target'],
]

/** `stream_slice['name']` or `stream_partition.name`, with what follows it. */
function inSlice(name: string, rest: string): RegExp {
  return new RegExp(
    `\\bstream_(?:slice|partition|interval)(?:\\.${name}|\\[['"]${name}['"]\\])${rest}`,
    'g',
  )
}

function retold(node: JsonValue): JsonValue {
  if (typeof node === 'string') {
    return JOB_NAMES.reduce((text, [old, name]) => text.replaceAll(old, name), node)
  }
  if (Array.isArray(node)) return node.map(retold)
  if (!isObject(node)) return node
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, retold(value)]))
}

const invalid = (field: string, message: string) =>
  new AirbyteError('VALIDATION_FAILED', `${field}: ${message}`, { field })
