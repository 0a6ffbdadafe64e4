import { declarativeConformance } from '../declarative/suite.ts'
import { jira } from './mock.ts'

declarativeConformance(jira)
