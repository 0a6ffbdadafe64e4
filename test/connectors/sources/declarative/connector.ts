import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Source } from '../../../../src/runtime/contract.ts'
import type { CustomComponents } from '../../../../src/runtime/declarative/custom/index.ts'
import { declarativeSource, readMetadata } from '../../../../src/runtime/declarative/index.ts'
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
