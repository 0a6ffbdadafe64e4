import { declarativeConformance } from '../declarative/suite.ts'
import { pokeapi } from './mock.ts'

declarativeConformance(pokeapi)
