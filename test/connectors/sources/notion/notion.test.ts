import { declarativeConformance } from '../declarative/suite.ts'
import { notion } from './mock.ts'

declarativeConformance(notion)
