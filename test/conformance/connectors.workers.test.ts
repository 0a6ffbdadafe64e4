import devNull from '../../connectors/destinations/dev-null/index.ts'
import sampleData from '../../connectors/sources/sample-data/index.ts'
import { destinationConformance } from './destination-suite.ts'
import { devNullSetup } from './setups/dev-null.ts'
import { SAMPLE_STREAMS, sampleDataSetup } from './setups/sample-data.ts'
import { sourceConformance } from './source-suite.ts'

/** The connectors that need no server, in the runtime where they will live. */
sourceConformance(sampleData, SAMPLE_STREAMS, sampleDataSetup)
destinationConformance(devNull, devNullSetup)
