import { declarativeConformance } from '../declarative/suite.ts'
import { github } from './mock.ts'

declarativeConformance(github)
