/**
 * `node serve.ts <connector>`: the mock of the connector's vendor, for `run.py`, until the input
 * ends. The first line of its output says where it is and with which config it is read.
 */
import { MockApi } from '../../connectors/sources/declarative/mock-api.ts'
import type { MockedConnector } from '../../connectors/sources/declarative/suite.ts'
import { NOW } from '../../connectors/sources/declarative/synthetic.ts'

const name = process.argv[2] ?? ''
const module = (await import(`../../connectors/sources/${name}/mock.ts`)) as object
const mocked = Object.values(module).find(
  (value): value is MockedConnector => value?.name === name && typeof value.open === 'function',
)
if (!mocked) throw new Error(`test/connectors/sources/${name}/mock.ts exports no connector`)

const { routes, authorize } = mocked.open()
const { origins, config } = mocked
const api = await new MockApi({ origins, routes, authorize }).start()
console.log(JSON.stringify({ address: api.address, config, now: new Date(NOW).toISOString() }))
process.stdin.resume().on('end', async () => {
  await api.stop()
  for (const violation of api.violations) console.error(violation)
  process.exitCode = api.violations.length > 0 ? 1 : 0
})
