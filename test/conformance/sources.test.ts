import postgres from '../../connectors/sources/postgres/index.ts'
import sampleData from '../../connectors/sources/sample-data/index.ts'
import { POSTGRES_STREAMS, postgresSourceSetup } from './setups/postgres-source.ts'
import { SAMPLE_STREAMS, sampleDataSetup } from './setups/sample-data.ts'
import { sourceConformance } from './source-suite.ts'

sourceConformance(sampleData, SAMPLE_STREAMS, sampleDataSetup)
sourceConformance(postgres, POSTGRES_STREAMS, postgresSourceSetup)
