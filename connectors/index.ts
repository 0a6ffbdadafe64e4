// Written by `npm run generate` from the folders beside it.
import type { Destination, Source } from '../src/runtime/contract.ts'

/** Every native source. */
export const sources: Source[] = []

/** Every native destination. */
export const destinations: Destination[] = []
