/**
 * The language's component types with their fields: written for errors that name a node, from what
 * the builders of this runtime read.
 */
import { AUTH } from './auth.ts'
import type { ComponentTypes } from './kinds.ts'
import { RECORDS } from './records.ts'
import { REQUESTS } from './requests.ts'
import { SCHEMAS } from './schemas.ts'
import { SLICES } from './slices.ts'
import { SOURCES } from './sources.ts'
import { STREAMS } from './streams.ts'

export const LANGUAGE: ComponentTypes = {
  ...SOURCES,
  ...STREAMS,
  ...SLICES,
  ...REQUESTS,
  ...AUTH,
  ...RECORDS,
  ...SCHEMAS,
}
