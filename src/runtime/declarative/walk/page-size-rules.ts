import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { pageSizeOf } from '../paginator/page-size.ts'
import { stopsShort } from '../paginator/stop-condition.ts'
import { hasQueryProperties } from './actions.ts'

const STRATEGIES = ['CursorPagination', 'OffsetIncrement', 'CustomPaginationStrategy']

/**
 * Smaller pages are the same records only where the next page does not depend on the size, and
 * where the size is sent.
 *
 * @returns the size that the paginator asks for
 * @throws VALIDATION_FAILED elsewhere
 */
export function refuseUnsized(
  reduction: Component,
  retriever: Component,
  env: Environment,
  least: number,
): number | undefined {
  const refuse = (message: string) => reduction.refuse(`${message}.`)
  if (hasQueryProperties(retriever.child('requester'))) {
    throw refuse('It does not go with query properties: records of a page would come twice')
  }
  const paginator = retriever.optionalChild('paginator')
  if (paginator?.type !== 'DefaultPaginator') throw refuse('It needs a DefaultPaginator')
  if (!paginator.has('page_size_option')) throw refuse('It needs a page_size_option')
  if (paginator.optionalChild('page_token_option')?.type === 'RequestPath') {
    throw refuse(
      'The address of the next page already holds a size: it does not go with RequestPath',
    )
  }
  const strategy = paginator.child('pagination_strategy')
  if (!STRATEGIES.includes(strategy.type)) {
    throw refuse(`Numbers of pages mean other records at another size: not with ${strategy.type}`)
  }
  if (strategy.type === 'CustomPaginationStrategy') return undefined
  const configured = pageSizeOf(strategy, env)
  if (typeof configured !== 'number') throw refuse('The pagination strategy needs a page_size')
  if (configured <= least && !isTemplate(strategy.get('page_size'))) {
    throw refuse(`The page size ${configured} is no larger than minimum_page_size`)
  }
  const stop = strategy.optionalText('stop_condition')
  if (stop && stopsShort(stop, least)) {
    throw refuse(
      `'${stop}' takes a full page of a smaller size for the last one: use page_size in it`,
    )
  }
  return configured
}

const isTemplate = (value: unknown) => typeof value === 'string' && !/^\d+$/.test(value)
