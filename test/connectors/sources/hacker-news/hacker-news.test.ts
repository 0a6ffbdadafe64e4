import { declarativeConformance } from '../declarative/suite.ts'
import { hackerNews } from './mock.ts'

declarativeConformance(hackerNews)
