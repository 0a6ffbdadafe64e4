import { env } from 'cloudflare:workers'
import { r2Store } from '../../../../src/staging/r2-store.ts'
import { throughputSuite } from './throughput-suite.ts'

throughputSuite('R2', () => r2Store(env.WAREHOUSE, 'throughput/'))
