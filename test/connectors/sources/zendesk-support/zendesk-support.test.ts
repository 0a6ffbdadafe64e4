import { declarativeConformance } from '../declarative/suite.ts'
import { zendeskSupport } from './mock.ts'

declarativeConformance(zendeskSupport)
