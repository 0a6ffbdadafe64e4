import { declarativeConformance } from '../declarative/suite.ts'
import { slack } from './mock.ts'

declarativeConformance(slack)
