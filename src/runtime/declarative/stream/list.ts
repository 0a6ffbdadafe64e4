import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { condition } from '../interpolation.ts'
import { dynamicStreams } from './dynamic.ts'

/** A stream's manifest node under the stream's name; broken ones say so only when they are used. */
export interface ListedStream {
  name: string
  component: Component
  /** The dynamic stream that made it, by name. */
  madeBy?: string
}

/**
 * The streams that exist under this config; those that the API itself lists are asked for.
 *
 * @throws VALIDATION_FAILED for two streams of one name
 */
export async function listStreams(
  root: Component,
  env: Omit<Environment, 'stream'>,
): Promise<ListedStream[]> {
  const listed = listStaticStreams(root, env)
  for (const [index, dynamic] of root.children('dynamic_streams').entries()) {
    const madeBy = dynamicStreamName(dynamic, index)
    for await (const component of dynamicStreams(dynamic, env)) {
      listed.push(...expand(component, env).map((stream) => ({ ...stream, madeBy })))
    }
  }
  const names = new Set<string>()
  for (const { name, component } of listed) {
    if (names.has(name)) throw component.refuse(`Two streams have the name '${name}'.`)
    names.add(name)
  }
  return listed
}

/** Those that are in the manifest, without asking the API. */
export const listStaticStreams = (root: Component, env: Omit<Environment, 'stream'>) =>
  root.children('streams').flatMap((component) => expand(component, env))

export const dynamicStreamName = (dynamic: Component, index: number) =>
  dynamic.optionalText('name') ?? `dynamic_stream_${index}`

function expand(component: Component, env: Omit<Environment, 'stream'>): ListedStream[] {
  if (component.type === 'ConditionalStreams') {
    const exists = condition(component.text('condition'), { env, parameters: component.parameters })
    return exists() ? component.children('streams').flatMap((child) => expand(child, env)) : []
  }
  const name = component.get('name')
  if (typeof name !== 'string') throw component.refuse('A stream needs a name.', 'name')
  return [{ name, component }]
}
