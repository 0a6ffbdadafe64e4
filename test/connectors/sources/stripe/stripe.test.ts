import { declarativeConformance } from '../declarative/suite.ts'
import { stripe } from './mock.ts'

declarativeConformance(stripe)
