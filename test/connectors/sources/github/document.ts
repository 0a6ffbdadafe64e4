import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { openApiTypes } from '../declarative/openapi-types.ts'

const folder = dirname(
  createRequire(import.meta.url).resolve('@octokit/openapi-types/package.json'),
)

/** GitHub's own OpenAPI document, in the form of types. */
export const DOCUMENT = openApiTypes(join(folder, 'types.d.ts'))
