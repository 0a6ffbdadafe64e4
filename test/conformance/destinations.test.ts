import devNull from '../../connectors/destinations/dev-null/index.ts'
import postgres from '../../connectors/destinations/postgres/index.ts'
import r2 from '../../connectors/destinations/r2/index.ts'
import { destinationConformance, type KnownFailure } from './destination-suite.ts'
import { devNullSetup } from './setups/dev-null.ts'
import { postgresDestinationSetup } from './setups/postgres-destination.ts'
import { r2Setup } from './setups/r2.ts'

destinationConformance(devNull, devNullSetup)

destinationConformance(postgres, postgresDestinationSetup)

const LATEST_BY_KEY: KnownFailure[] = [
  'keeps the newest in one chunk, though it comes first',
  'ignores an older version that comes late',
  'ranks a null cursor below any other',
  'keeps a thousand versions of a hundred keys straight, over many chunks',
].map((title) => ({ title, because: 'its latest-by-key view does not look at the cursor' }))

const NULL_KEY: KnownFailure = {
  title: 'rejects a row with a null key and loads the others',
  because: 'it keeps rows without a key',
}

const R2 = { known: [...LATEST_BY_KEY, NULL_KEY] }
destinationConformance(r2, r2Setup('Parquet'), {
  ...R2,
  name: 'Parquet',
  losses: { decimals: true },
})
destinationConformance(r2, r2Setup('JSONL'), { ...R2, name: 'JSONL', losses: { jsonNull: true } })
destinationConformance(r2, r2Setup('CSV'), { ...R2, name: 'CSV' })
