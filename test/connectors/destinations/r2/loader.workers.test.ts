import { env } from 'cloudflare:workers'
import { r2Store } from '../../../../src/staging/r2-store.ts'
import { loaderSuite } from './loader-suite.ts'

let opened = 0
loaderSuite('R2', () => r2Store(env.WAREHOUSE, `loader-${++opened}/`))
