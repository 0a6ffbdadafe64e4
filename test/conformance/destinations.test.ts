import devNull from '../../connectors/destinations/dev-null/index.ts'
import postgres from '../../connectors/destinations/postgres/index.ts'
import r2 from '../../connectors/destinations/r2/index.ts'
import { destinationConformance } from './destination-suite.ts'
import { devNullSetup } from './setups/dev-null.ts'
import { postgresDestinationSetup } from './setups/postgres-destination.ts'
import { r2Setup } from './setups/r2.ts'

destinationConformance(devNull, devNullSetup)

destinationConformance(postgres, postgresDestinationSetup)

destinationConformance(r2, r2Setup('Parquet'), { name: 'Parquet', losses: { decimals: true } })
destinationConformance(r2, r2Setup('JSONL'), { name: 'JSONL', losses: { jsonNull: true } })
destinationConformance(r2, r2Setup('CSV'), { name: 'CSV' })
