import type { JsonValue } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import { customPart } from '../custom/part.ts'
import { buildDecoder, type Decoder } from '../decoders/index.ts'
import { type Environment, type Slice, sliceScope } from '../environment.ts'
import { condition, type Scope, template } from '../interpolation.ts'
import { toSavedJson } from '../python/json.ts'
import { truthy, type Value } from '../python/values.ts'
import type { RecordData } from '../records/types.ts'
import { type Answer, paginationHeaders } from '../requester/answer.ts'
import { compileTemplate } from '../template/index.ts'
import { pageSizeOf } from './page-size.ts'
import { readsPageSize } from './stop-condition.ts'

/** What a response says of its page, before records are made of it. */
export interface ReadResponse {
  answer: Answer
  /** Records that the response held. */
  extracted: number
  /** Records asked for, where it is not the strategy's own page size. */
  size?: number | undefined
}

/** What was read of a page. */
export interface Page extends ReadResponse {
  /** Records after filtering. */
  count: number
  /** The last record after filter and transformations. */
  lastRecord: RecordData | undefined
  /** The records after filtering; of a page that is read in parts, those of its last part. */
  records: RecordData[]
}

/** Finds the token of the next page; null ends the pages. */
export interface PaginationStrategy {
  initial: JsonValue
  pageSize: JsonValue | undefined
  next(page: Page, token: JsonValue, slice: Slice): Promise<JsonValue>
  /**
   * The same from the response alone, while its records are still as they came. Absent where the
   * stream's records decide.
   */
  early?(page: ReadResponse, token: JsonValue, slice: Slice): Promise<JsonValue>
}

export interface StrategyContext {
  env: Environment
  decoder: Component | undefined
  /** Records are changed in place, and with them the answer that they came in. */
  changesRecords: boolean
}

export const buildStrategy = (component: Component, context: StrategyContext) =>
  build(STRATEGIES, component, context)

const STRATEGIES: Builders<PaginationStrategy, StrategyContext> = {
  CustomPaginationStrategy: (component, { env }) =>
    customPart('paginationStrategy', component, env.custom, { env }),

  PageIncrement(component, { env }) {
    const first = Number(component.get('start_from_page') ?? 0)
    const pageSize = pageSizeOf(component, env)
    return byResponse({
      initial: component.flag('inject_on_first_request') ? first : null,
      pageSize,
      async early({ extracted }, token) {
        if (isLast(extracted, pageSize)) return null
        return (typeof token === 'number' ? token : first) + 1
      },
    })
  },

  OffsetIncrement(component, { env }) {
    const pageSize = pageSizeOf(component, env)
    return byResponse({
      initial: component.flag('inject_on_first_request') ? 0 : null,
      pageSize,
      async early({ extracted, size = pageSize }, token) {
        if (isLast(extracted, size)) return null
        return (typeof token === 'number' ? token : 0) + extracted
      },
    })
  },

  CursorPagination(component, { env, decoder, changesRecords }) {
    const bound = { env, parameters: component.parameters }
    const decode = buildDecoder(component.optionalChild('decoder') ?? decoder, env)
    const cursorValue = String(component.required('cursor_value'))
    const value = template(cursorValue, bound)
    const source = component.optionalText('stop_condition')
    const seesRecords = env.language?.was('lastRecords')
    const stops = source ? condition(source, bound) : undefined
    const pageSize = pageSizeOf(component, env)
    for (const field of ['cursor_value', 'stop_condition']) {
      if (pageSize !== undefined || !readsPageSize(String(component.get(field) ?? ''))) continue
      throw component.refuse('It reads page_size, which the strategy does not have.', field)
    }
    const tokenAfter = async (
      { answer, size }: ReadResponse,
      body: Answer,
      slice: Slice,
      ofRecords: Scope,
    ): Promise<JsonValue> => {
      const scope = {
        ...sliceScope(slice),
        response: await firstBody(decode, body),
        headers: paginationHeaders(answer),
        ...ofRecords,
        page_size: size ?? pageSize ?? null,
      }
      if (stops?.(scope)) return null
      const token = value(scope)
      return truthy(token) ? toSavedJson(token) : null
    }
    const strategy: PaginationStrategy = {
      initial: null,
      pageSize,
      async next(page, _token, slice) {
        return tokenAfter(page, changesRecords ? page.answer.anew() : page.answer, slice, {
          last_record: page.lastRecord ?? null,
          ...(seesRecords ? { last_records: page.records } : {}),
          last_page_size: page.count,
        })
      },
    }
    if ([cursorValue, source].some((text) => text && readsRecords(text))) return strategy
    return {
      ...strategy,
      early: async (page, _token, slice) => tokenAfter(page, page.answer, slice, OF_NO_RECORDS),
    }
  },
}

/** Such a strategy asks nothing of a page but what its response says. */
const byResponse = (
  strategy: Omit<PaginationStrategy, 'next'> & Required<Pick<PaginationStrategy, 'early'>>,
): PaginationStrategy => ({ ...strategy, next: strategy.early })

/** Names that a cursor's templates may use, and whose values depend on the stream's records. */
const RECORD_NAMES = ['last_record', 'last_records', 'last_page_size']
const OF_NO_RECORDS = { last_record: null, last_page_size: 0 }

/** True also of a template that cannot be read: it says so when it is evaluated. */
function readsRecords(source: string): boolean {
  try {
    return compileTemplate(source).names.some((name) => RECORD_NAMES.includes(name))
  } catch {
    return true
  }
}

/** A body that is handed on as it comes in is not kept for this. */
async function firstBody({ streams, decode }: Decoder, answer: Answer): Promise<Value> {
  if (streams) return {}
  for await (const [body] of decode(answer)) if (body !== undefined) return body
  return {}
}

const isLast = (extracted: number, pageSize: JsonValue | undefined) =>
  extracted === 0 || (typeof pageSize === 'number' && extracted < pageSize)
