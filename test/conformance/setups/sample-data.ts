import { testContext } from '../context.ts'
import type { SourceSetup, SuiteStream } from '../source-suite.ts'

/** Few rows, so that products, which end at 100, can grow as well. */
export const SAMPLE_STREAMS: SuiteStream[] = [
  { name: 'users', rows: 90 },
  { name: 'products', rows: 90 },
  { name: 'purchases', rows: 90 },
  { name: 'all_types', rows: 90 },
]

export async function sampleDataSetup(): Promise<SourceSetup> {
  let config = { count: 90, records_per_slice: 7 }
  return {
    config,
    ctx: (signal) => testContext(signal ? { signal } : {}),
    badConfigs: [
      { title: 'count', config: { count: -1 }, codes: ['VALIDATION_FAILED'] },
      { title: 'dial', config: { fail_at: {} }, codes: ['VALIDATION_FAILED'] },
    ],
    async grow() {
      config = { ...config, count: config.count + 3 }
      return config
    },
  }
}
