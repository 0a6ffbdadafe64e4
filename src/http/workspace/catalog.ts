import { type CatalogPage, catalogPage } from '../pages/workspace/catalog.tsx'
import { kindOf } from './resources.ts'
import type { Handler } from './types.ts'

export const catalog: Handler = async (visit, params) => {
  const kind = kindOf(params.kind)
  const query = (params.query.get('q') ?? '').slice(0, 100)
  const found = await visit.run<Pick<CatalogPage, 'items' | 'total' | 'cursor'>>('catalog.search', {
    ...{ kind, query, limit: 60, cursor: params.query.get('cursor') ?? undefined },
  })
  return catalogPage(visit, { ...found, kind, query })
}
