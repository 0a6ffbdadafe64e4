import { env } from 'cloudflare:workers'
import mysqlDestination from '../../connectors/destinations/mysql/index.ts'
import mysql from '../../connectors/sources/mysql/index.ts'
import { workerdContext } from '../support/workerd-context.ts'
import { destinationConformance } from './destination-suite.ts'
import { mysqlDestinationSetup } from './setups/mysql-destination.ts'
import { mysqlSourceSetup, mysqlStreams } from './setups/mysql-source.ts'
import { sourceConformance } from './source-suite.ts'

const DATABASE = 'conformance_workers'
const { MARIADB_URL } = env as unknown as { MARIADB_URL: string }

sourceConformance(mysql, mysqlStreams(DATABASE), () =>
  mysqlSourceSetup(new URL(MARIADB_URL), DATABASE, workerdContext),
)

destinationConformance(
  mysqlDestination,
  () =>
    mysqlDestinationSetup(new URL(MARIADB_URL), 'conformance_destination_workers', workerdContext),
  // The one that merges and has tombstones; all of them in Node.
  { modes: ['append_dedup'] },
)
