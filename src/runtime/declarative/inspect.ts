import {
  AirbyteError,
  isObject,
  type JsonObject,
  type JsonSchema,
  toAirbyteError,
} from '../../protocol/index.ts'
import type { ConnectorContext } from '../contract.ts'
import { type Component, UnknownComponent } from './component.ts'
import { missingClass } from './custom/missing.ts'
import { exampleConfig } from './example-config.ts'
import { loadManifest, type Manifest } from './manifest/load.ts'
import { openSource, readingOf, type SourceEnvironment } from './open.ts'
import { newRun } from './run.ts'
import { primaryKeyOf } from './stream/build.ts'
import { openStream } from './stream/delegate.ts'
import { dynamicStreamName } from './stream/list.ts'
import { readPages } from './stream/read-pages.ts'
import { fromAirbyteState } from './stream/state.ts'

/** What a manifest has, as far as it can be told without a config and without asking an API. */
export interface ManifestReport {
  /** The version of the language that it is written in. */
  language?: string
  spec: JsonSchema
  streams: InspectedStream[]
  /** By name, what makes streams that only a config or the API knows. */
  dynamicStreams: string[]
  /** Rules by which each read rewrites a config of an older form. */
  configMigrations: number
}

export interface InspectedStream {
  name: string
  /** Why it cannot be read here. Absent: it can, as far as its manifest tells. */
  refused?: string
  /** Some configs are without it. */
  conditional?: true
  primaryKey: string[][]
  /** A template where its name depends on the config. */
  cursorField?: string
  /** Absent where the API gives it. */
  schema?: JsonSchema
}

/**
 * Loads a manifest and builds each of its streams up to the first request, which is never sent.
 *
 * @param ranWith version of the CDK that it was run with; of the connector's metadata
 * @throws VALIDATION_FAILED naming the node, or the line and column
 */
export async function inspectManifest(manifest: string, ranWith?: string): Promise<ManifestReport> {
  const root = loadManifest(manifest)
  const language = root.get('version')
  const spec = specOf(root)
  const config = exampleConfig(spec)
  const streams: InspectedStream[] = []
  for (const { component, conditional } of root.children('streams').flatMap((one) => expand(one))) {
    const refused = await refusalOf(root, component, { config, ranWith })
    streams.push({
      ...describe(component),
      ...(conditional && { conditional }),
      ...(refused && { refused }),
    })
  }
  const dynamic = root.children('dynamic_streams')
  return {
    ...(typeof language === 'string' && { language }),
    ...{ spec, streams },
    dynamicStreams: dynamic.map(dynamicStreamName),
    configMigrations:
      root
        .optionalChild('spec')
        ?.optionalChild('config_normalization_rules')
        ?.list('config_migrations').length ?? 0,
  }
}

function specOf(root: Component): JsonSchema {
  const schema = root.optionalChild('spec')?.get('connection_specification')
  return isObject(schema) ? schema : { type: 'object', properties: {} }
}

interface Found {
  component: Component
  conditional?: true
}

function expand(component: Component, conditional?: true): Found[] {
  if (component.type !== 'ConditionalStreams') return [{ component, conditional }]
  return component.children('streams').flatMap((child) => expand(child, true))
}

function describe(component: Component): InspectedStream {
  const branch =
    component.type === 'StateDelegatingStream' ? component.child('incremental_stream') : component
  const cursorField = branch.optionalChild('incremental_sync')?.get('cursor_field')
  const schema = staticSchema(branch)
  return {
    name: component.text('name'),
    primaryKey: primaryKeyOf(branch),
    ...(typeof cursorField === 'string' && { cursorField }),
    ...(schema && { schema }),
  }
}

/** The schema that stands in the manifest, if nothing else has a say in it. */
function staticSchema(stream: Component): JsonSchema | undefined {
  const loaders = stream.oneOrMany('schema_loader')
  const [schema, ...others] = loaders.map((loader) =>
    loader.type === 'InlineSchemaLoader' ? loader.get('schema') : undefined,
  )
  return others.length === 0 && isObject(schema) ? schema : undefined
}

interface Example {
  config: JsonObject
  ranWith: string | undefined
}

/** Thrown where the first request would be sent: the stream is built by then. */
const REACHED = new AirbyteError('CANCELLED', 'Nothing is sent.')

async function refusalOf(
  root: Manifest,
  component: Component,
  example: Example,
): Promise<string | undefined> {
  const controller = new AbortController()
  const reached = () => {
    controller.abort(REACHED)
    return Promise.reject(REACHED)
  }
  const name = component.text('name')
  try {
    const ctx = contextOf(reached, controller.signal)
    const env = { ...environment(root, ctx, example), stream: name }
    const missing = missingClass(component, env)
    if (missing) return missing.message
    const { stream, saved } = openStream(component, env, fromAirbyteState({}))
    const pages = readPages(stream, saved)
    await pages.next()
    await pages.return(undefined)
    return undefined
  } catch (error) {
    return isOfTheManifest(toAirbyteError(error)) ? toAirbyteError(error).message : undefined
  }
}

/** An example is not a config: what rules find wrong with it says nothing about the manifest. */
function environment(
  root: Manifest,
  ctx: ConnectorContext,
  { config, ranWith }: Example,
): SourceEnvironment {
  try {
    return openSource(root, ctx, config, { ranWith })
  } catch {
    return { config, ctx, run: newRun(ctx, {}), ...readingOf(root, { ranWith }) }
  }
}

/** Errors that no config would take away; whatever else went wrong may be the example's fault. */
const isOfTheManifest = (error: AirbyteError): boolean =>
  error.code === 'UNSUPPORTED' ||
  error.code === 'TEMPLATE_INVALID' ||
  error instanceof UnknownComponent

function contextOf(fetch: () => Promise<never>, signal: AbortSignal): ConnectorContext {
  return {
    http: { fetch },
    connect: fetch,
    log: () => {},
    now: () => Date.now(),
    signal,
    budget: { deadline: Number.POSITIVE_INFINITY, exhausted: () => false },
  }
}
