import type { JsonObject } from '../../../src/protocol/index.ts'
import {
  type Answer,
  buildRequester,
  type CustomComponents,
  custom,
  header,
  type PartitionRouter,
  type Resolution,
  SUCCESS,
} from '../../../src/runtime/declarative/custom/index.ts'

/** What test/oracle/manifests/components.py has in Python, as a connector's `components.ts` has it. */
export const components: CustomComponents = {
  'source_oracle.components.TableExtractor': custom('recordExtractor', (component) => {
    const table = component.text('table')
    return function* ({ json }) {
      const found = (json as Record<string, Table | undefined>)[table]
      for (const row of found?.rows ?? []) {
        yield Object.fromEntries(row.map((cell, index) => [found?.columns[index], cell]))
      }
    }
  }),

  'source_oracle.components.TotalTransformation': custom('transformation', (component, { env }) => {
    const summed = component.list('summed').map(String)
    return (record, { partition }) => {
      record.total = summed.reduce((sum, name) => sum + Number(record[name] ?? 0), 0)
      record.region = partition.region ?? null
      record.account = env.config.account
    }
  }),

  'source_oracle.components.AccountAuthenticator': custom('authenticator', (component, { env }) => {
    const name = component.text('header')
    return {
      async options() {
        const { account, key } = env.config
        return {
          ...header(name, `Account ${account}:${key}`),
          request_parameter: new Map([['account', account]]),
        }
      },
    }
  }),

  'source_oracle.components.RangeRouter': custom('partitionRouter', (component, { env }) => {
    const width = Number(component.required('size'))
    const name = component.text('field_name')
    const last = Number(env.config.last)
    return {
      async *partitions(at = 0) {
        for (let from = Number(at); from < last; from += width) {
          const to = Math.min(from + width, last)
          yield { partition: { from, to }, extra: { width }, position: from }
        }
      },
      options: ({ partition: { from, to } }) => ({
        request_parameter: new Map([[name, `${from}-${to}`]]),
      }),
      parentState: () => undefined,
    } satisfies PartitionRouter
  }),

  'source_oracle.components.CheckedRequester': custom('requester', (component, { env }) => {
    const stock = buildRequester(component.as('HttpRequester'), env)
    const sum = [...component.text('path')].reduce((total, char) => total + char.charCodeAt(0), 0)
    const check = { request_parameter: new Map([[component.text('check_name'), sum]]) }
    return { send: (page) => stock.send({ ...page, parts: [...page.parts, check] }) }
  }),

  'source_oracle.components.RenamedStateMigration': custom('stateMigration', (component) => {
    const [old, fresh] = [component.text('old'), component.text('new')]
    return (state) => (state[old] === undefined ? state : { [fresh]: state[old] })
  }),

  'source_oracle.components.HalvingStrategy': custom('paginationStrategy', (component) => {
    const least = Number(component.required('least'))
    return {
      initial: null,
      pageSize: least,
      async next({ answer, count, lastRecord }) {
        const left = Number((answer.json as JsonObject).left) - count
        return left >= least ? `${left}:${lastRecord?.id}` : null
      },
    }
  }),

  'source_oracle.components.ListedSchemaLoader': custom('schemaLoader', (component, { env }) => {
    const type = component.text('type_of_all')
    const names = env.config.fields as string[]
    return () => ({
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, { type }])),
    })
  }),

  'source_oracle.components.PairsDecoder': custom('decoder', (component) => {
    const separator = component.optionalText('separator') ?? ','
    return function* ({ text }) {
      for (const line of text.split('\n').filter(Boolean)) {
        yield Object.fromEntries(line.split(separator).map((pair) => pair.split(/=(.*)/s)))
      }
    }
  }),

  'source_oracle.components.PatientErrorHandler': custom('errorHandler', (component) => ({
    maxRetries: Number(component.required('attempts')),
    backoffs: [],
    interpret(outcome): Resolution {
      if (outcome instanceof Error) return { ...FAIL, failureType: 'system_error' }
      const { say } = outcome.json as JsonObject
      if (say === 'busy') return { action: 'RETRY', failureType: 'transient_error' }
      if (say === 'gone') return { ...SUCCESS, action: 'IGNORE' }
      return outcome.ok ? SUCCESS : FAIL
    },
  })),

  'source_oracle.components.BodyBackoff': custom('backoffStrategy', (component) => {
    const path = component.text('path')
    return (outcome, attempt) => {
      const body = outcome instanceof Error ? undefined : ((outcome as Answer).json as JsonObject)
      return Number(body?.[path] ?? 0) * attempt || undefined
    }
  }),

  'source_oracle.components.MatchingFilter': custom('recordFilter', (component) => {
    const key = component.text('key')
    return (record, { partition }) => record[key] === partition[key]
  }),

  'source_oracle.components.UpperCaseNormalization': custom('schemaNormalization', () => {
    return (record, { properties }) => {
      for (const [name, { upper }] of Object.entries(properties as Record<string, JsonObject>)) {
        if (upper && typeof record[name] === 'string') record[name] = record[name].toUpperCase()
      }
    }
  }),

  'source_oracle.components.SplitConfig': custom('configTransformation', () => (config) => {
    if (typeof config.login !== 'string') return
    const [account = '', key = ''] = config.login.split('/')
    Object.assign(config, { account, key })
    delete config.login
  }),

  'source_oracle.components.EvenNumber': custom('validationStrategy', () => (value) => {
    return Number(value) % 2 === 0 ? undefined : `${value} is odd`
  }),

  'source_oracle.components.RegionRetriever': custom('retriever', (component, { env, stock }) => {
    const mark = component.text('mark')
    const retriever = stock()
    const skipped = env.config.skip as string[]
    return {
      ...retriever,
      async fetch(slice, ...rest) {
        const region = String(slice.partition.region)
        if (skipped.includes(region)) return { records: [], next: null }
        const page = await retriever.fetch(slice, ...rest)
        for (const record of page.records) record[mark] = region
        return page
      },
    }
  }),
}

interface Table {
  columns: string[]
  rows: unknown[][]
}

const FAIL: Resolution = { action: 'FAIL', failureType: 'config_error' }
