/** What the mock asks a vendor's own description of its API. */
export interface ApiDocument {
  /** Whether it describes the API that the path belongs to. Absent: all of them. */
  covers?(path: string): boolean
  /** Undefined where the vendor has no such operation. Names of the path's parts do not matter. */
  operation(method: string, path: string): ApiOperation | undefined
}

export interface ApiOperation {
  query: Set<string>
  /** Fields of the request body. */
  body: Set<string>
  /** Where a successful answer departs from its schema: unknown fields, missing ones, other types. */
  problems(body: unknown): string[]
}
