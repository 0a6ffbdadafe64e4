// Written by `npm run generate` from the folders beside it.
import type { Destination, Source } from '../src/runtime/contract.ts'
import sampleDataSource from './sources/sample-data/index.ts'

/** Every native source. */
export const sources: Source[] = [sampleDataSource]

/** Every native destination. */
export const destinations: Destination[] = []
