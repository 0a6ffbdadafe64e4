import { env } from 'cloudflare:workers'
import mysql from '../../connectors/sources/mysql/index.ts'
import { workerdContext } from '../support/workerd-context.ts'
import { mysqlSourceSetup, mysqlStreams } from './setups/mysql-source.ts'
import { sourceConformance } from './source-suite.ts'

const DATABASE = 'conformance_workers'
const { MARIADB_URL } = env as unknown as { MARIADB_URL: string }

sourceConformance(mysql, mysqlStreams(DATABASE), () =>
  mysqlSourceSetup(new URL(MARIADB_URL), DATABASE, workerdContext),
)
