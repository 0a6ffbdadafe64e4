import { AirbyteError, type JsonSchema, type JsonValue } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import { customPart } from '../custom/part.ts'
import { type Environment, type Slice, sliceScope } from '../environment.ts'
import { recordCondition } from '../interpolation.ts'
import { isMapping } from '../python/mappings.ts'
import type { Answer } from '../requester/answer.ts'
import { buildExtractor, type Extractor } from './extractor.ts'
import { normalizer } from './schema-normalization.ts'
import { buildTransformation } from './transformations.ts'
import type { RecordData } from './types.ts'

export interface Selection {
  /** The stream's records, made when they are asked for, once. */
  records(): RecordData[]
  /** How many the response held, before filtering: what page and offset pagination count. */
  extracted: number
}

export interface Selector {
  /** @see Extractor */
  streams: boolean
  /**
   * In batches, each of what came together.
   *
   * @param skip so many of the response's records are left out: they were had before
   */
  select(answer: Answer, slice: Slice, token: JsonValue, skip: number): AsyncIterable<Selection>
  /** What is left of records that were extracted elsewhere, and what is made of them. */
  refine(extracted: RecordData[], slice: Slice, token: JsonValue): RecordData[]
}

export interface SelectorOptions {
  transformations: Component[]
  decoder?: Component
  /** In place of the selector's own. */
  extractor?: Extractor
  /** Client-side incremental: whether the cursor wants the record. */
  wanted?: (record: RecordData, slice: Slice) => boolean
  schema: JsonSchema | undefined
}

/** The records of a response as they are extracted, in batches. */
export function selectExtracted({
  streams,
  extract,
}: Extractor): Pick<Selector, 'streams' | 'select'> {
  return {
    streams,
    async *select(answer, _slice, _token, skip) {
      let left = skip
      for await (const extracted of extract(answer)) {
        const records = left > 0 ? extracted.slice(left) : extracted
        left = Math.max(0, left - extracted.length)
        yield { records: () => records, extracted: records.length + (extracted.dropped ?? 0) }
      }
    },
  }
}

/** From a response to the stream's records: extract, filter, transform, normalise. */
export function buildSelector(
  component: Component,
  env: Environment,
  options: SelectorOptions,
): Selector {
  const extracted = selectExtracted(
    options.extractor ?? buildExtractor(component.child('extractor'), env, options.decoder),
  )
  const filter = component.optionalChild('record_filter')
  const keepIn = filter && build(FILTERS, filter, env)
  const transformations = options.transformations.map((child) => buildTransformation(child, env))
  const isFilterFirst = options.wanted === undefined || env.language?.was('filterFirst')
  const transformsFirst = component.flag('transform_before_filtering', !isFilterFirst)
  const normalize = normalizer(component, env, options.schema)

  function refine(extracted: RecordData[], slice: Slice, token: JsonValue): RecordData[] {
    const keep = keepIn?.(slice, token)
    const records: RecordData[] = []
    const passes = (record: RecordData) =>
      (options.wanted?.(record, slice) ?? true) && (keep?.(record) ?? true)
    const transform = (record: RecordData) => {
      let made = record
      if (!isMapping(made)) return made
      for (const apply of transformations) {
        if (apply.anew) made = apply.anew(made)
        else apply(made, slice)
      }
      return made
    }
    for (const found of extracted) {
      let record = transformsFirst ? transform(found) : found
      if (!passes(record)) continue
      if (!transformsFirst) record = transform(record)
      if (!isMapping(record)) throw notARecord(env.stream, component, record)
      normalize?.(record)
      records.push(record)
    }
    return records
  }

  return {
    streams: extracted.streams,
    refine,
    async *select(answer, slice, token, skip) {
      for await (const batch of extracted.select(answer, slice, token, skip)) {
        yield { ...batch, records: () => refine(batch.records(), slice, token) }
      }
    },
  }
}

/** Says of the records of one page which are kept. */
type Filter = (slice: Slice, token: JsonValue) => (record: RecordData) => boolean

const FILTERS: Builders<Filter, Environment> = {
  CustomRecordFilter(component, env) {
    const keeps = customPart('recordFilter', component, env.custom, { env })
    return (slice, token) => (record) => keeps(record, slice, token)
  },

  RecordFilter(component, env) {
    const source = component.optionalText('condition')
    if (!source) return () => () => true
    const keeps = recordCondition(source, { env, parameters: component.parameters })
    return (slice, token) => keeps(sliceScope(slice, token))
  },
}

const notARecord = (stream: string, { path }: Component, found: unknown) =>
  new AirbyteError(
    'VALIDATION_FAILED',
    `${stream}: the API gave a ${Array.isArray(found) ? 'list' : typeof found} where a record is expected.`,
    { stream, hint: `Correct the extractor of ${path}, so that it ends at objects.` },
  )
