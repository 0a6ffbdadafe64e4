import devNull from '../../connectors/destinations/dev-null/index.ts'
import postgres from '../../connectors/destinations/postgres/index.ts'
import r2 from '../../connectors/destinations/r2/index.ts'
import { destinationConformance } from './destination-suite.ts'
import { devNullSetup } from './setups/dev-null.ts'
import { postgresDestinationSetup } from './setups/postgres-destination.ts'
import { r2Setup } from './setups/r2.ts'

destinationConformance(devNull, devNullSetup)

destinationConformance(postgres, postgresDestinationSetup)

const known = [
  'resurrects nothing when a log is read again from an older position',
  'leaves a row alone that is newer than a deletion that is read again',
  'ranks the rows of a snapshot below every change, whenever they come',
  'empties the table at a truncate, and nothing from before it comes back',
].map((title) => ({ title, because: 'deletions do not rank by their position yet' }))

destinationConformance(r2, r2Setup('Parquet'), {
  ...{ name: 'Parquet', losses: { decimals: true }, known },
})
destinationConformance(r2, r2Setup('JSONL'), { name: 'JSONL', losses: { jsonNull: true }, known })
destinationConformance(r2, r2Setup('CSV'), { name: 'CSV', known })
