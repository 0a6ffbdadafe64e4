import type { CatalogEntry } from '../../../operations/catalog.ts'
import { count } from '../../workspace/format.ts'
import type { Visit } from '../../workspace/visit.ts'
import { workspacePage } from './parts.tsx'

export interface CatalogPage {
  kind: 'source' | 'destination'
  items: CatalogEntry[]
  total: number
  query: string
  cursor?: string
}

/** Which connector a new source or destination is made from. */
export function catalogPage(visit: Visit, view: CatalogPage): Response {
  const { kind, items, total, query, cursor } = view
  const here = `${visit.base}/resources/${kind}/new`
  return workspacePage(visit, {
    title: `New ${kind}`,
    section: 'resources',
    body: (
      <>
        <p class="crumbs">
          <a href={`${visit.base}/resources`}>Sources &amp; destinations</a>
        </p>
        <h1>{kind === 'source' ? 'Where do the rows come from?' : 'Where do the rows go?'}</h1>
        <search>
          <form method="get" action={here} class="inline">
            <label for="q">Find connectors</label>
            <input id="q" type="search" name="q" value={query} />
            <button type="submit">Find</button>
          </form>
        </search>
        <p role="status">
          {count(total)} {total === 1 ? 'connector' : 'connectors'}
          {query && ` for “${query}”`}.
        </p>
        <ul class="cards tiles">
          {items.map(({ name, title, evidence, origin, license }) => (
            <li class="card idle">
              <h2>
                <a href={`${here}/${encodeURIComponent(name)}`}>{title}</a>
              </h2>
              <p class="route">
                {origin === 'imported' ? `imported, ${license}, ` : ''}
                {EVIDENCE[evidence] ?? 'tried against the vendor'}
              </p>
            </li>
          ))}
        </ul>
        {cursor && (
          <p>
            <a href={`${here}?${new URLSearchParams({ q: query, cursor })}`}>More connectors</a>
          </p>
        )}
      </>
    ),
  })
}

/** How well a connector is proven, in words. */
const EVIDENCE: Record<string, string> = {
  none: 'not tried here',
  fixtures: 'tested with recorded answers',
  docs: "tested by the vendor's documentation",
  openapi: "tested by the vendor's API description",
  server: 'tested with a real server',
}
