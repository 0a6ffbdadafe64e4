import { declarativeConformance } from '../declarative/suite.ts'
import { linear } from './mock.ts'

declarativeConformance(linear)
