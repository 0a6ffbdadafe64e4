import type { JsonObject, JsonValue } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import { customPart } from '../custom/part.ts'
import type { Environment } from '../environment.ts'
import { template, textTemplate } from '../interpolation.ts'
import { toJson } from '../python/json.ts'
import { truthy } from '../python/values.ts'
import { overlay, requestOption } from '../requester/request-option.ts'
import { groupingRouter } from './grouping.ts'
import { substreamRouter } from './substream.ts'
import { type Partition, type PartitionRouter, placed } from './types.ts'
import { unionRouter } from './union.ts'

export { NO_PARTITIONS, type PartitionRouter } from './types.ts'

export interface RouterContext {
  env: Environment
  /** The stream's saved `parent_state`. */
  parentState: JsonObject | undefined
  /** The child keeps a state, so parents may be read incrementally. */
  incremental: boolean
}

export const buildRouter = (component: Component, context: RouterContext): PartitionRouter =>
  build(ROUTERS, component, context)

/** A list of routers multiplies; the first one with an option for a place wins. */
export function buildRouters(components: Component[], context: RouterContext): PartitionRouter {
  const routers = components.map((component) => buildRouter(component, context))
  const [first] = routers
  return first && routers.length === 1 ? first : cartesian(routers)
}

const ROUTERS: Builders<PartitionRouter, RouterContext> = {
  CustomPartitionRouter: (component, context) =>
    customPart('partitionRouter', component, context.env.custom, context),

  ListPartitionRouter(component, { env }) {
    const bound = { env, parameters: component.parameters }
    const given = component.required('values')
    const values = typeof given === 'string' ? toJson(template(given, bound)()) : given
    if (!Array.isArray(values)) throw component.refuse('The values are not a list.', 'values')
    const field = textTemplate(component.text('cursor_field'), bound)()
    const option = component.optionalChild('request_option')
    const inject = option && requestOption(option, env)
    return {
      async *partitions(from) {
        for (let index = numberOr(from, 0); index < values.length; index++) {
          yield { partition: { [field]: values[index] }, extra: {}, position: index }
        }
      },
      options({ partition }) {
        const value = partition[field]
        return inject && truthy(value) ? inject(value) : {}
      },
      parentState: () => undefined,
    }
  },

  SubstreamPartitionRouter: substreamRouter,

  GroupingPartitionRouter(component, context) {
    const size = Number(component.required('group_size'))
    const grouped = component.child('underlying_partition_router')
    for (const node of namedIn(grouped)) refuseOption(node, 'a group', context.env)
    const inner = buildRouter(grouped, context)
    const group = { size, deduplicates: component.flag('deduplicate', true) }
    return {
      ...groupingRouter(inner, { ...group, textOf: (item) => textIn(item, component) }),
      options: () => ({}),
      parentState: inner.parentState,
    }
  },

  UnionPartitionRouter(component, context) {
    const field = textTemplate(component.text('partition_field'), {
      env: context.env,
      parameters: component.parameters,
    })()
    const children = component.children(component.has('routers') ? 'routers' : 'partition_routers')
    for (const child of children) refuseForeign(child, field, context.env)
    const routers = children.map((child) => buildRouter(child, context))
    return {
      ...unionRouter(routers, field),
      options: () => ({}),
      parentState: () => mergedStates(routers),
    }
  },
}

/** The fields that name a router's partition, by its type; of others it is not known before they run. */
const FIELDS: Record<string, string> = {
  ListPartitionRouter: 'cursor_field',
  UnionPartitionRouter: 'partition_field',
  ParentStreamConfig: 'partition_field',
}

/** The parts of a router that name a field of its partitions. */
const namedIn = (router: Component): Component[] =>
  router.type === 'SubstreamPartitionRouter' ? router.children('parent_stream_configs') : [router]

/** A union has one field. */
function refuseForeign(child: Component, field: string, env: Environment): void {
  for (const node of namedIn(child)) {
    const own = fieldOf(node, env)
    if (own !== undefined && own !== field) {
      throw node.refuse(`The union's field is '${field}', not '${own}'.`, FIELDS[node.type])
    }
    refuseOption(node, 'a union', env)
  }
}

/** Nobody injects the values of a union or a group: they are for templates. */
function refuseOption(node: Component, whole: 'a union' | 'a group', env: Environment): void {
  const field = fieldOf(node, env)
  if (field === undefined || !node.has('request_option')) return
  const instead = `Use {{ stream_partition['${field}'] }} in the request.`
  throw node.refuse(`A router within ${whole} has no request option. ${instead}`, 'request_option')
}

function fieldOf(node: Component, env: Environment): string | undefined {
  const name = FIELDS[node.type]
  return name && textTemplate(node.text(name), { env, parameters: node.parameters })()
}

function textIn({ partition }: Partition, component: Component): string {
  const keys = Object.keys(partition).filter((key) => key !== 'parent_slice')
  const [key] = keys
  if (key === undefined || keys.length > 1) {
    throw component.refuse('The grouped router must give one value a partition.')
  }
  return JSON.stringify(partition[key])
}

/** Every combination, the last router turning fastest. */
function cartesian(routers: PartitionRouter[]): PartitionRouter {
  async function* combine(at: number, from: JsonValue[] | undefined): AsyncGenerator<Partition[]> {
    const router = routers[at]
    if (!router) {
      yield []
      return
    }
    let resume = from
    for await (const item of placed(router.partitions(from?.[at]), (inner) => [inner])) {
      const others = placed(combine(at + 1, resume), (inner) => [
        item.position,
        ...(inner as JsonValue[]),
      ])
      for await (const rest of others) yield [item, ...rest]
      resume = undefined
    }
  }
  return {
    async *partitions(from) {
      for await (const items of combine(0, Array.isArray(from) ? from : undefined)) {
        yield {
          partition: Object.assign({}, ...items.map(({ partition }) => partition)) as JsonObject,
          extra: Object.assign({}, ...items.map(({ extra }) => extra)) as JsonObject,
          position: items.map(({ position }) => position),
        }
      }
    },
    // The first router wins where two set the same.
    options: (slice) => overlay(routers.map((router) => router.options(slice)).reverse()),
    parentState: () => undefined,
  }
}

function mergedStates(routers: PartitionRouter[]): JsonObject | undefined {
  const states = routers.flatMap((router) => router.parentState() ?? [])
  return states.length > 0 ? (Object.assign({}, ...states) as JsonObject) : undefined
}

const numberOr = (value: JsonValue | undefined, byDefault: number) =>
  typeof value === 'number' ? value : byDefault
