import type { JsonSchema } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { checkTemplates } from '../manifest/check-templates.ts'
import { streamSchema } from '../schema/index.ts'
import { unsupported } from '../unsupported.ts'
import type { Branch } from './delegate.ts'

/** A stream of the manifest, with what reading and discovering it need. */
export interface Stream {
  name: string
  component: Component
  env: Environment
  retriever: Component
  cursor: Component | undefined
  routers: Component[]
  primaryKey: string[][]
  /** Of a delegating stream, the one that this is. */
  branch?: Branch
  /** Fetched once where the API describes itself. */
  schema(): Promise<JsonSchema>
}

const RETRIEVERS = new Set(['SimpleRetriever', 'AsyncRetriever', 'CustomRetriever'])

/**
 * @throws UNSUPPORTED for a kind of stream or retriever that this runtime does not have, naming it
 */
export function buildStream(component: Component, env: Environment): Stream {
  if (component.type !== 'DeclarativeStream') throw unsupported(component)
  checkTemplates(component)
  const retriever = component.child('retriever')
  if (!RETRIEVERS.has(retriever.type)) throw unsupported(retriever)
  const cursor = component.optionalChild('incremental_sync')
  let schema: Promise<JsonSchema> | undefined
  return {
    name: env.stream,
    component,
    env,
    retriever,
    cursor,
    routers: retriever.oneOrMany('partition_router'),
    primaryKey: primaryKeyOf(component),
    schema() {
      schema ??= streamSchema(component, env)
      return schema
    },
  }
}

/** `id` → `[[id]]`, `[a, b]` → `[[a], [b]]`, `[[a, b]]` as it is. */
export function primaryKeyOf(component: Component): string[][] {
  const given = component.get('primary_key')
  if (given === undefined || given === '') return []
  if (typeof given === 'string') return [[given]]
  if (!Array.isArray(given)) throw component.refuse('A key is text or a list.', 'primary_key')
  return given.map((part) => (Array.isArray(part) ? part.map(String) : [String(part)]))
}
