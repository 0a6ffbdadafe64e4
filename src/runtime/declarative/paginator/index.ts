import type { JsonValue } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import { str } from '../python/text.ts'
import { combineOptions, NO_OPTIONS, type RequestOptions } from '../requester/options.ts'
import { overlay, requestOption } from '../requester/request-option.ts'
import { buildStrategy, type PaginationStrategy, type StrategyContext } from './strategies.ts'

/** Walks the pages of a slice. */
export interface Paginator extends Pick<PaginationStrategy, 'next' | 'early'> {
  /** The first page's token; null: it has none. */
  initial: JsonValue
  /** @param size records to ask for, where it is not the strategy's own page size */
  options(token: JsonValue, size?: number): RequestOptions
  /** The address of the page, where the token is one. */
  path(token: JsonValue): string | undefined
}

const NO_PAGINATION: Paginator = {
  initial: null,
  options: () => NO_OPTIONS,
  path: () => undefined,
  next: async () => null,
}

export const buildPaginator = (
  component: Component | undefined,
  context: StrategyContext,
): Paginator => (component ? build(PAGINATORS, component, context) : NO_PAGINATION)

const PAGINATORS: Builders<Paginator, StrategyContext> = {
  NoPagination: () => NO_PAGINATION,

  DefaultPaginator(component, context) {
    const { env } = context
    const decoder = component.optionalChild('decoder') ?? context.decoder
    const strategy = buildStrategy(component.child('pagination_strategy'), { ...context, decoder })
    const tokenOption = component.optionalChild('page_token_option')
    const sizeOption = component.optionalChild('page_size_option')
    const isPath = tokenOption?.type === 'RequestPath'
    const injectToken = tokenOption && !isPath ? requestOption(tokenOption, env) : undefined
    if (sizeOption && !strategy.pageSize) {
      throw component.refuse('The pagination strategy has no page_size.', 'page_size_option')
    }
    const injectSize = sizeOption && requestOption(sizeOption, env)
    if (injectToken && injectSize && collide(injectToken('token'), injectSize('size'))) {
      throw component.refuse('It is the place of page_token_option too.', 'page_size_option')
    }
    const isLeftOut = strategy.initial === 0 && env.language?.was('firstTokenZero')
    return {
      initial: isLeftOut ? null : strategy.initial,
      options(token, size = strategy.pageSize) {
        const parts: RequestOptions[] = []
        if (injectToken && token !== null) parts.push(injectToken(token))
        if (injectSize) parts.push(injectSize(size))
        return overlay(parts)
      },
      path(token) {
        return isPath && token !== null ? str(token) : undefined
      },
      next: strategy.next,
      early: strategy.early,
    }
  },
}

function collide(...parts: RequestOptions[]): boolean {
  try {
    combineOptions(parts)
    return false
  } catch {
    return true
  }
}
