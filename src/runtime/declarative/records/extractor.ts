import { type Builders, build, type Component } from '../component.ts'
import { collected, customPart } from '../custom/part.ts'
import { buildDecoder } from '../decoders/index.ts'
import type { Environment } from '../environment.ts'
import { textTemplate } from '../interpolation.ts'
import { truthy, type Value } from '../python/values.ts'
import type { Answer } from '../requester/answer.ts'
import { combinedExtractor } from './combined.ts'
import { csvFileExtractor } from './csv-file.ts'
import { buildExpander } from './expander.ts'
import { isPattern, valueAt, valuesAt } from './paths.ts'
import type { RecordData } from './types.ts'

/** Finds the records in a response. */
export interface Extractor {
  /** The response is read piece by piece, and need not fit into memory. */
  streams: boolean
  /** In batches, each of what came together. */
  extract(answer: Answer): AsyncIterable<ExtractedBatch>
}

export type ExtractedBatch = RecordData[] & {
  /** Records that were left out, but that pages of a certain size count. */
  dropped?: number
}

/** @param decoder the retriever's; the extractor's own wins */
export const buildExtractor = (
  component: Component,
  env: Environment,
  decoder: Component | undefined,
): Extractor => build(EXTRACTORS, component, { env, decoder })

const EXTRACTORS: Builders<Extractor, { env: Environment; decoder: Component | undefined }> = {
  CombinedExtractor: (component, { env, decoder }) =>
    combinedExtractor(component, (child) => buildExtractor(child, env, decoder)),

  ResponseToFileExtractor: (component, { env }) => csvFileExtractor(component, env),

  CustomRecordExtractor(component, { env, decoder }) {
    const { decode } = buildDecoder(decoder ?? component.optionalChild('decoder'), env)
    const recordsIn = customPart('recordExtractor', component, env.custom, { env, decode })
    return {
      streams: false,
      async *extract(answer) {
        yield await collected(recordsIn(answer))
      },
    }
  },

  DpathExtractor(component, { env, decoder }) {
    const { streams, decode } = buildDecoder(decoder ?? component.optionalChild('decoder'), env)
    const bound = { env, parameters: component.parameters }
    const path = component
      .list('field_path')
      .map((segment) => textTemplate(String(segment), bound)())
    const many = path.includes('*')
    const expander = component.optionalChild('record_expander')
    const expand = expander && buildExpander(expander, env)
    const found = (body: Value): Value =>
      path.length === 0
        ? body
        : many || path.some(isPattern)
          ? valuesAt(body, path)
          : valueAt(body, path)

    const recordsIn = (bodies: Value[]): RecordData[] => {
      const records: RecordData[] = []
      for (const body of bodies) {
        const extracted = found(body)
        if (Array.isArray(extracted)) for (const item of extracted) records.push(item as RecordData)
        else if (truthy(extracted)) records.push(extracted as RecordData)
      }
      return records
    }
    return {
      streams,
      async *extract(answer) {
        for await (const bodies of decode(answer)) {
          const records = recordsIn(bodies)
          yield expand ? await expand(records) : records
        }
      },
    }
  },
}
