import {
  type AirbyteStream,
  type Captures,
  type ConfiguredStream,
  isObject,
  type JsonObject,
  type JsonSchema,
  toAirbyteError,
} from '../../protocol/index.ts'
import type {
  CheckResult,
  ConnectorContext,
  ConnectorInfo,
  Source,
  SourceCapabilities,
  Spec,
} from '../contract.ts'
import { checkStreams } from './check.ts'
import type { Component } from './component.ts'
import { normalizeConfig } from './config-rules.ts'
import { missingClass } from './custom/missing.ts'
import type { Environment } from './environment.ts'
import { textTemplate } from './interpolation.ts'
import { loadManifest } from './manifest/load.ts'
import { type OpenOptions, openSource, readingOf, type SourceEnvironment } from './open.ts'
import { readStreams } from './read.ts'
import { inferSchema } from './schema/infer.ts'
import type { Stream } from './stream/build.ts'
import { openStream } from './stream/delegate.ts'
import { listStreams } from './stream/list.ts'
import { readPagesNow } from './stream/read-pages.ts'
import { fromAirbyteState, toAirbyteState } from './stream/state.ts'
import { WaitUntil } from './wait.ts'

/** An API may answer differently when it is asked again. */
export const DECLARATIVE_CAPABILITIES: SourceCapabilities = {
  formats: [],
  rereadable: false,
  ranges: false,
  wholeRecords: true,
}

export interface DeclarativeOptions extends OpenOptions {
  /** What incremental reads see, by stream, `*` for all others; of the connector's metadata. */
  captures?: Record<string, Captures>
}

/**
 * A source from an Airbyte low-code manifest, run as it is.
 *
 * @param manifest YAML or JSON text, or the parsed manifest
 * @throws VALIDATION_FAILED naming the node or the line that is wrong
 * @example
 * const source = declarativeSource(await readFile('manifest.yaml', 'utf8'), info)
 * for await (const event of source.read(ctx, config, streams, state)) …
 */
export function declarativeSource(
  manifest: string | JsonObject,
  info: ConnectorInfo,
  options: DeclarativeOptions = {},
): Source {
  const root = loadManifest(manifest)
  const open = (ctx: ConnectorContext, config: JsonObject) => openSource(root, ctx, config, options)
  /** What is no read; a read says by an event what it has migrated. */
  async function probe<Result>(
    ctx: ConnectorContext,
    config: JsonObject,
    use: (env: SourceEnvironment) => Promise<Result>,
  ): Promise<Result> {
    const env = open(ctx, config)
    env.run.probes = true
    try {
      if (env.migrated) await ctx.owner?.saveConfig(env.migrated)
      return await use(env)
    } catch (error) {
      throw error instanceof WaitUntil ? error.reported : error
    } finally {
      await env.run.budget?.close()
    }
  }
  return {
    info,
    capabilities: DECLARATIVE_CAPABILITIES,
    migrateConfig(config) {
      const { migrated } = normalizeConfig(root, config, readingOf(root, options))
      return migrated ?? config
    },
    toAirbyteState,
    spec: () => specOf(root, info),
    async check(ctx, config): Promise<CheckResult> {
      try {
        await probe(ctx, config, (env) => checkStreams(root, env))
        return { ok: true }
      } catch (error) {
        return { ok: false, problem: toAirbyteError(error).toJSON() }
      }
    },
    discover: (ctx, config) =>
      probe(ctx, config, async (env) => {
        const streams: AirbyteStream[] = []
        for (const { name, component } of await listStreams(root, env)) {
          const described = await describeStream(component, { ...env, stream: name })
          const captures = options.captures?.[name] ?? options.captures?.['*']
          const isIncremental = described.supported_sync_modes.includes('incremental')
          streams.push(isIncremental && captures ? { ...described, captures } : described)
        }
        return { streams }
      }),
    read: (ctx, config, streams: ConfiguredStream[], state) =>
      readStreams(root, open(ctx, config), streams, state),
  }
}

/** Where the manifest brings no schema, the first page of records tells the fields. */
async function schemaOf(stream: Stream): Promise<JsonSchema> {
  const schema = await stream.schema()
  if (Object.keys((schema.properties ?? {}) as object).length > 0) return schema
  try {
    for await (const { records } of readPagesNow(stream, fromAirbyteState({}))) {
      if (records.length > 0) return inferSchema(records)
    }
  } catch (error) {
    const { kind, message } = toAirbyteError(error)
    // What passes is tried again: a stream must not lose its columns for a moment's trouble.
    if (kind === 'transient') throw error
    stream.env.ctx.log('warn', `${stream.name} has no schema, and none was found: ${message}`)
  }
  return schema
}

function specOf(root: Component, info: ConnectorInfo): Spec {
  const spec = root.optionalChild('spec')
  const schema = spec?.get('connection_specification')
  const connectionSpecification: JsonSchema = isObject(schema)
    ? schema
    : { type: 'object', properties: {} }
  const documentationUrl = spec?.optionalText('documentation_url') ?? info.documentationUrl
  const auth = spec?.object('advanced_auth')
  return {
    connectionSpecification,
    ...(documentationUrl ? { documentationUrl } : {}),
    ...(auth && Object.keys(auth).length > 0 ? { advanced_auth: auth } : {}),
  }
}

/** A stream whose retriever cannot run is listed all the same; reading it says why. */
async function describeStream(component: Component, env: Environment): Promise<AirbyteStream> {
  const branch =
    component.type === 'StateDelegatingStream' ? component.child('incremental_stream') : component
  const described: AirbyteStream = {
    name: env.stream,
    json_schema: { type: 'object', properties: {} },
    supported_sync_modes: ['full_refresh'],
  }
  const missing = missingClass(component, env)
  if (missing) env.ctx.log('warn', `${env.stream} cannot be read: ${missing.message}`)
  try {
    const { stream } = openStream(component, env, fromAirbyteState({}))
    described.json_schema = await schemaOf(stream)
    if (stream.component.has('file_uploader')) described.is_file_based = true
    if (stream.primaryKey.length > 0) described.source_defined_primary_key = stream.primaryKey
  } catch (error) {
    if (toAirbyteError(error).code !== 'UNSUPPORTED') throw error
    if (!missing) env.ctx.log('warn', toAirbyteError(error).message)
  }
  const cursor = branch.optionalChild('incremental_sync')
  const field = cursor?.optionalText('cursor_field')
  if (cursor && field) {
    described.supported_sync_modes = ['full_refresh', 'incremental']
    described.source_defined_cursor = !cursor.flag('allow_catalog_defined_cursor_field')
    described.default_cursor_field = [textTemplate(field, { env, parameters: cursor.parameters })()]
    described.is_resumable = true
  }
  return described
}
