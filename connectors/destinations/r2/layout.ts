/**
 * Where everything of a stream lies in the warehouse. `docs/storage.md` describes the objects.
 *
 * ```
 * <path_prefix>/<namespace or _>/<stream>/_current.json
 *                                        /_ledger/<generation>-<epoch>/<segment>.json
 *                                        /generation=<n>/<seq>-<fence>-<chunk id>.parquet
 * ```
 */
import type { StreamPlan } from '../../../src/runtime/contract.ts'
import type { FileFormat } from './document.ts'

const EXTENSIONS: Record<FileFormat, string> = {
  Parquet: 'parquet',
  JSONL: 'jsonl.gz',
  CSV: 'csv',
}

/** The format of a data object, from its key. */
export function formatOf(key: string): FileFormat {
  if (key.endsWith('.parquet')) return 'Parquet'
  return key.endsWith('.csv') ? 'CSV' : 'JSONL'
}

export interface Layout {
  /** Folder of the stream, ending in `/`. */
  root: string
  current: string
  segment(generation: number, epoch: number, index: number): string
  data(generation: number, seq: number, fence: number, chunkId: string, format: FileFormat): string
}

/** The layout of a target; keys are relative to the workspace. */
export function layoutOf(pathPrefix: string, target: StreamPlan['target']): Layout {
  const namespace = target.namespace === undefined ? '_' : safeName(target.namespace)
  const prefix = pathPrefix.split('/').filter(Boolean).map(safeName)
  const root = `${[...prefix, namespace, safeName(target.table)].join('/')}/`
  return {
    root,
    current: `${root}_current.json`,
    segment: (generation, epoch, index) =>
      `${root}_ledger/${generation}-${epoch}/${padded(index)}.json`,
    data: (generation, seq, fence, chunkId, format) =>
      `${root}generation=${generation}/${padded(seq)}-${fence}-${safeName(chunkId)}.${EXTENSIONS[format]}`,
  }
}

/** The fence under which an object of this layout was written, from its key. */
export function fenceOf(key: string): number | undefined {
  const match = /\/(?:generation=\d+\/\d+-(\d+)-[^/]+|_ledger\/\d+-(\d+)\/\d+\.json)$/.exec(key)
  return match ? Number(match[1] ?? match[2]) : undefined
}

/**
 * A name as one key segment: letters, digits, `_`, `-`, inner dots and spaces stay, any other byte
 * becomes `~` and two hex digits. Different names stay different, and no segment needs
 * percent-encoding in a URL but for spaces.
 *
 * @example
 * safeName('Größe/µ') // 'Gr~c3~b6~c3~9fe~2f~c2~b5'
 */
export function safeName(name: string): string {
  if (name === '_') return '~5f'
  const bytes = new TextEncoder().encode(name)
  let safe = ''
  for (const [i, byte] of bytes.entries()) {
    const character = String.fromCharCode(byte)
    const inner = i > 0 && i < bytes.length - 1
    const kept = inner ? /[A-Za-z0-9_. -]/ : /[A-Za-z0-9_-]/
    safe += kept.test(character) ? character : `~${byte.toString(16).padStart(2, '0')}`
  }
  return safe
}

const padded = (n: number) => String(n).padStart(8, '0')
