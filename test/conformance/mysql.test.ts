import { inject } from 'vitest'
import mysql from '../../connectors/destinations/mysql/index.ts'
import { createNodeContext } from '../../src/egress/node-context.ts'
import { destinationConformance } from './destination-suite.ts'
import { mysqlDestinationSetup } from './setups/mysql-destination.ts'

destinationConformance(mysql, () =>
  mysqlDestinationSetup(new URL(inject('mariadbUrl')), 'conformance_destination', () =>
    createNodeContext(),
  ),
)
