import { memoryStore } from '../../../src/staging/memory-store.ts'
import { testContext } from '../context.ts'
import type { DestinationSetup } from '../destination-suite.ts'

/** A warehouse in memory; each file format is a variant. */
export const r2Setup = (format_type: string) => async (): Promise<DestinationSetup> => {
  const warehouse = memoryStore()
  return {
    config: { format: { format_type } },
    ctx: () => testContext({ warehouse }),
    badConfigs: [
      {
        title: 'a format that does not exist',
        config: { format: { format_type: 'Excel' } },
        codes: ['VALIDATION_FAILED'],
      },
    ],
  }
}
