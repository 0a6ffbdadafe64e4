/**
 * What the declarative runtime reads and spends, beside Airbyte's CDK on the same manifest and server.
 *
 *   node bench/declarative.ts --records 500000
 */
import { parseArgs } from 'node:util'
import { measureDeclarative } from './declarative/measure.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '500000' },
    rounds: { type: 'string', default: '3' },
    'cdk-records': { type: 'string', default: '20000' },
    'workerd-records': { type: 'string', default: '200000' },
  },
})

await measureDeclarative({
  records: Number(values.records),
  rounds: Number(values.rounds),
  cdkRecords: Number(values['cdk-records']),
  workerdRecords: Number(values['workerd-records']),
})
