import { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { buildPaginator } from '../paginator/index.ts'
import { refuseUnionByOffset } from '../records/combined.ts'
import { buildExtractor, type Extractor } from '../records/extractor.ts'
import { selectExtracted } from '../records/selector.ts'
import { buildRequester } from '../requester/http-requester.ts'
import { fetchPages } from '../stream/pages.ts'
import type { Retriever } from '../stream/retriever.ts'

/** What fetches the pages of a job's target, whose records are then filtered and transformed. */
export function buildDownloads(
  component: Component,
  env: Environment,
): { downloads: Retriever; extractor: Extractor } {
  const decoder = component.optionalChild('download_decoder')
  refuseUnionByOffset(
    component.optionalChild('download_paginator'),
    component.optionalChild('download_extractor'),
  )
  const child = component.optionalChild('download_extractor') ?? WHOLE_BODY
  const extractor = buildExtractor(child, env, decoder)
  const downloads = fetchPages({
    stream: env.stream,
    now: () => env.ctx.now(),
    requester: buildRequester(component.child('download_requester'), env),
    paginator: buildPaginator(component.optionalChild('download_paginator'), {
      ...{ env, decoder, changesRecords: false },
    }),
    selector: selectExtracted(extractor),
    options: () => [],
  })
  return { downloads, extractor }
}

const WHOLE_BODY = new Component({ type: 'DpathExtractor', field_path: [] }, 'download_extractor')
