import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonSchema } from '../../../../src/protocol/index.ts'
import type { Source } from '../../../../src/runtime/contract.ts'
import type { Component } from '../../../../src/runtime/declarative/component.ts'
import type { CustomComponents } from '../../../../src/runtime/declarative/custom/index.ts'
import { declarativeSource, readMetadata } from '../../../../src/runtime/declarative/index.ts'
import { loadManifest } from '../../../../src/runtime/declarative/manifest/load.ts'
import type { RunOptions } from '../../../../src/runtime/declarative/run.ts'

export const CONNECTORS = join(import.meta.dirname, '../../../../connectors/sources')

/** A first-party manifest as the product runs it, with waits that a test can see. */
export function loadConnector(
  name: string,
  options: RunOptions,
  components: CustomComponents = {},
): { source: Source; manifest: string } {
  const manifest = readFileSync(join(CONNECTORS, name, 'manifest.yaml'), 'utf8')
  const metadata = readFileSync(join(CONNECTORS, name, 'metadata.yaml'), 'utf8')
  const { info, captures, newestFirst } = readMetadata(metadata, name)
  const source = declarativeSource(manifest, info, {
    ...{ ...options, captures, newestFirst, components: [components] },
  })
  return { source, manifest }
}

const LOADED = new Map<string, Component[]>()

/** The streams of a first-party manifest. A mock is opened for each test: they are loaded once. */
export function manifestStreams(name: string): Component[] {
  const known = LOADED.get(name)
  if (known) return known
  const text = readFileSync(join(CONNECTORS, name, 'manifest.yaml'), 'utf8')
  const streams = loadManifest(text).children('streams')
  LOADED.set(name, streams)
  return streams
}

/** Their schemas by name, whose fields the synthetic rows fill. */
export const manifestSchemas = (name: string): Map<string, JsonSchema> =>
  new Map(
    manifestStreams(name).map((stream) => [
      stream.text('name'),
      stream.child('schema_loader').object('schema') as JsonSchema,
    ]),
  )
