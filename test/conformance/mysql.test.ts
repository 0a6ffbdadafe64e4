import { inject } from 'vitest'
import mysql from '../../connectors/destinations/mysql/index.ts'
import { createNodeContext } from '../../src/egress/node-context.ts'
import { ON_MYSQL } from '../support/mysql-statement.ts'
import { destinationConformance, type KnownFailure } from './destination-suite.ts'
import { mysqlDestinationSetup } from './setups/mysql-destination.ts'

/** InnoDB of MySQL counts forty bytes of a row for each text, wherever that lies. */
const WIDE: KnownFailure = {
  title: 'holds two hundred columns',
  where: /basic/,
  because: 'a row of a table of MySQL holds some 195 texts',
}

destinationConformance(
  mysql,
  () =>
    mysqlDestinationSetup(new URL(inject('mariadbUrl')), 'conformance_destination', () =>
      createNodeContext(),
    ),
  { known: ON_MYSQL ? [WIDE] : [] },
)
