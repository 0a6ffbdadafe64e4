import { AirbyteError, type Captures, isObject, type JsonObject } from '../../protocol/index.ts'
import type { ConnectorInfo, Evidence } from '../contract.ts'
import { type BreakingChange, breakingChangesOf } from './breaking-changes.ts'
import { capturesOf } from './captures.ts'
import { parseYaml } from './manifest/parse-yaml.ts'

/** What a connector's `metadata.yaml` says of it. */
export interface ConnectorMetadata {
  info: ConnectorInfo
  /** As written there: `MIT`, `ELv2`. */
  license: string
  /** Version of the CDK in the image that the connector's manifest runs in, where it is named. */
  ranWith?: string
  /** What incremental reads see, by stream; ours alone has it. */
  captures: Record<string, Captures>
  /** Its lists are newest first; ours alone says so. @see ChangeOrder */
  newestFirst?: true
}

/**
 * Reads a `metadata.yaml` in Airbyte's shape, ours or an imported connector's.
 *
 * @param name type name that users give; by default from `dockerRepository`, `airbyte/source-x`
 * @throws VALIDATION_FAILED naming the field
 * @example
 * readMetadata(text, 'github').info // { name: 'github', title: 'GitHub', version: '1.0.0', … }
 */
export function readMetadata(source: string, name?: string): ConnectorMetadata {
  const data = dataOf(source)
  return {
    info: infoOf(data, name, evidenceOf(data)),
    license: textIn(data, 'license'),
    ...ranWithOf(data),
    captures: capturesOf(data.captures),
    ...(data.newestFirst === true ? { newestFirst: true } : {}),
  }
}

/** What somebody else's `metadata.yaml` says of a connector that is to be imported. */
export interface ForeignMetadata {
  info: ConnectorInfo
  /** `unknown` where it does not say. */
  license: string
  ranWith?: string
  breakingChanges: BreakingChange[]
}

/**
 * The same for a connector of somebody else's, whose claims about evidence are not ours.
 *
 * @throws VALIDATION_FAILED naming the field, and for a destination
 */
export function readForeignMetadata(source: string, name?: string): ForeignMetadata {
  const data = dataOf(source)
  const { connectorType = 'source', license, releases } = data
  if (connectorType !== 'source') {
    const message = `'${data.name}' is a ${connectorType}; only sources can be imported.`
    throw new AirbyteError('VALIDATION_FAILED', message, { field: 'metadata.data.connectorType' })
  }
  return {
    info: infoOf(data, name, 'none'),
    license: typeof license === 'string' && license.trim() !== '' ? license : 'unknown',
    ...ranWithOf(data),
    breakingChanges: breakingChangesOf(isObject(releases) ? releases : {}),
  }
}

function dataOf(source: string): JsonObject {
  const { data } = parseYaml(source)
  if (!isObject(data)) throw invalid('data', 'is missing')
  return data
}

function textIn(data: JsonObject, field: string): string {
  const value = data[field]
  if (typeof value !== 'string' || value === '') throw invalid(`data.${field}`, 'must be text')
  return value
}

function infoOf(data: JsonObject, name: string | undefined, evidence: Evidence): ConnectorInfo {
  const text = (field: string) => textIn(data, field)
  return {
    name: name ?? text('dockerRepository').replace(/^.*\/(?:source|destination)-/, ''),
    title: text('name'),
    definitionId: text('definitionId'),
    version: text('dockerImageTag'),
    evidence,
    ...(data.documentationUrl ? { documentationUrl: text('documentationUrl') } : {}),
  }
}

/** Ours alone has it: how well a connector of somebody else's is proven is not known. */
function evidenceOf({ evidence = 'docs' }: JsonObject): Evidence {
  if (typeof evidence === 'string' && EVIDENCE.test(evidence)) return evidence as Evidence
  throw invalid('data.evidence', 'must be fixtures, docs, openapi, server or live(date)')
}

/** The image of connectors that are a manifest has the version of its CDK. */
function ranWithOf({ connectorBuildOptions: build }: JsonObject): { ranWith?: string } {
  const image = isObject(build) ? build.baseImage : undefined
  const [, ranWith] = IMAGE.exec(typeof image === 'string' ? image : '') ?? []
  return ranWith ? { ranWith } : {}
}

const IMAGE = /\/source-declarative-manifest:(\d+\.\d+\.\d+)/
const EVIDENCE = /^(?:fixtures|docs|openapi|server|live\(\d{4}-\d\d-\d\d\))$/

const invalid = (field: string, what: string) =>
  new AirbyteError('VALIDATION_FAILED', `metadata.yaml: '${field}' ${what}.`, {
    field: `metadata.${field}`,
  })
