import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { Evidence, Source } from '../../../../src/runtime/contract.ts'
import { capturesOf } from '../../../../src/runtime/declarative/captures.ts'
import { declarativeSource } from '../../../../src/runtime/declarative/index.ts'
import type { RunOptions } from '../../../../src/runtime/declarative/run.ts'

export const CONNECTORS = join(import.meta.dirname, '../../../../connectors/sources')

/** A first-party manifest as the product runs it, with waits that a test can see. */
export function loadConnector(
  name: string,
  options: RunOptions,
): { source: Source; manifest: string } {
  const manifest = readFileSync(join(CONNECTORS, name, 'manifest.yaml'), 'utf8')
  const metadata = parse(readFileSync(join(CONNECTORS, name, 'metadata.yaml'), 'utf8'))
  const data = metadata.data as JsonObject
  const info = {
    name,
    title: String(data.name),
    definitionId: String(data.definitionId),
    version: String(data.dockerImageTag),
    evidence: data.evidence as Evidence,
    documentationUrl: String(data.documentationUrl),
  }
  const captures = capturesOf(data.captures)
  return { source: declarativeSource(manifest, info, { ...options, captures }), manifest }
}
