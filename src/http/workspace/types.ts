import type { Visit } from './visit.ts'

export interface PageParams {
  id: string
  kind: string
  /** Name of a connector. */
  type: string
  query: URLSearchParams
}

export type Handler = (visit: Visit, params: PageParams) => Promise<Response>

/** Answers with a page, or with the path to go to. */
export type PostHandler = (
  visit: Visit,
  params: PageParams,
  form: URLSearchParams,
) => Promise<Response | string>
