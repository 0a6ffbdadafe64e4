import { memoryStore } from '../../../src/staging/memory-store.ts'
import { testContext } from '../context.ts'
import type { DestinationSetup } from '../destination-suite.ts'

export async function devNullSetup(): Promise<DestinationSetup> {
  const warehouse = memoryStore()
  return {
    config: { test_destination: { test_destination_type: 'SILENT' } },
    ctx: () => testContext({ warehouse }),
    badConfigs: [
      {
        title: 'a moment that does not exist',
        config: { fail_at: { when: 'never' } },
        codes: ['VALIDATION_FAILED'],
      },
    ],
  }
}
