import { declarativeConformance } from '../declarative/suite.ts'
import { gitlab } from './mock.ts'

declarativeConformance(gitlab)
