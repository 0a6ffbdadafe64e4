import type { JsonObject } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import { template } from '../interpolation.ts'
import { isInt } from '../python/values.ts'

/** How many jobs the manifest lets run at once; one where it says nothing that makes sense. */
export function jobLimitOf(root: Component, config: JsonObject): number {
  const given = root.get('max_concurrent_async_job_count')
  const value =
    typeof given === 'string' ? template(given, { env: { config }, parameters: {} })() : given
  return isInt(value) ? Math.max(1, Number(value)) : 1
}
