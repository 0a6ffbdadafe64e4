import type { Component } from '../component.ts'
import { truthy } from '../python/values.ts'
import type { ExtractedBatch, Extractor } from './extractor.ts'

/**
 * The records of several extractors of one response: of all, one after the other, or of the first
 * that finds any.
 */
export function combinedExtractor(
  component: Component,
  build: (child: Component) => Extractor,
): Extractor {
  const children = component.children('extractors')
  if (children.length === 0) throw component.refuse('At least one is needed.', 'extractors')
  const extractors = children.map(build)
  if (extractors.some(({ streams }) => streams)) {
    throw component.refuse('The decoder hands a body on as it comes in: it can be read once only.')
  }
  const mode = component.optionalText('mode') ?? 'union'
  if (mode !== 'union' && mode !== 'first_match') {
    throw component.refuse(`'${mode}' is not union or first_match.`, 'mode')
  }
  const skipsEmpty = component.flag('skip_empty_records')
  return {
    streams: false,
    async *extract(answer) {
      for (const { extract } of extractors) {
        const found: ExtractedBatch = []
        for await (const batch of extract(answer)) for (const record of batch) found.push(record)
        const records = skipsEmpty ? withoutEmpty(found) : found
        if (mode === 'union') yield records
        else if (records.length > 0) return yield records
      }
    },
  }
}

/** What is dropped was part of the page all the same. */
function withoutEmpty(found: ExtractedBatch): ExtractedBatch {
  const records: ExtractedBatch = found.filter(truthy)
  records.dropped = found.length - records.length
  return records
}

/**
 * @throws VALIDATION_FAILED where an offset would be moved by the records of several lists: it
 *   would skip some of each
 */
export function refuseUnionByOffset(
  paginator: Component | undefined,
  extractor: Component | undefined,
): void {
  const strategy = paginator?.optionalChild('pagination_strategy')
  if (strategy?.type !== 'OffsetIncrement' || !extractor || !hasUnion(extractor)) return
  throw extractor.refuse('A union has more records than the page that an OffsetIncrement counts.')
}

const hasUnion = (extractor: Component): boolean =>
  extractor.type === 'CombinedExtractor' &&
  ((extractor.optionalText('mode') ?? 'union') === 'union' ||
    extractor.children('extractors').some(hasUnion))
