import { inject } from 'vitest'
import mysql from '../../connectors/sources/mysql/index.ts'
import postgres from '../../connectors/sources/postgres/index.ts'
import sampleData from '../../connectors/sources/sample-data/index.ts'
import { createNodeContext } from '../../src/egress/node-context.ts'
import { mysqlSourceSetup, mysqlStreams } from './setups/mysql-source.ts'
import { POSTGRES_STREAMS, postgresSourceSetup } from './setups/postgres-source.ts'
import { SAMPLE_STREAMS, sampleDataSetup } from './setups/sample-data.ts'
import { sourceConformance } from './source-suite.ts'

sourceConformance(sampleData, SAMPLE_STREAMS, sampleDataSetup)
sourceConformance(postgres, POSTGRES_STREAMS, postgresSourceSetup)

const DATABASE = 'conformance_node'
sourceConformance(mysql, mysqlStreams(DATABASE), () =>
  mysqlSourceSetup(new URL(inject('mariadbUrl')), DATABASE, (signal) =>
    createNodeContext({ signal }),
  ),
)
