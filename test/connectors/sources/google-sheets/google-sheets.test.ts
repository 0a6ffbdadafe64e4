import { declarativeConformance } from '../declarative/suite.ts'
import { googleSheets } from './mock.ts'

declarativeConformance(googleSheets)
