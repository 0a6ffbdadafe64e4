// Written by `npm run generate` from the folders beside it.
import type { Destination, Source } from '../src/runtime/contract.ts'
import devNullDestination from './destinations/dev-null/index.ts'
import postgresDestination from './destinations/postgres/index.ts'
import r2Destination from './destinations/r2/index.ts'
import postgresSource from './sources/postgres/index.ts'
import sampleDataSource from './sources/sample-data/index.ts'

/** Every source. A manifest is parsed when it is first used. */
export const sources: Source[] = [postgresSource, sampleDataSource]

/** Every destination. */
export const destinations: Destination[] = [devNullDestination, postgresDestination, r2Destination]
