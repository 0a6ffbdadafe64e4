import { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { textTemplate } from '../interpolation.ts'
import { str } from '../python/text.ts'
import { firstAt } from '../records/paths.ts'
import { buildStream } from '../stream/build.ts'
import { readPagesNow } from '../stream/read-pages.ts'
import { fromAirbyteState } from '../stream/state.ts'

/** The properties that an endpoint of the API lists; asked once, records without one are left out. */
export function propertiesFromEndpoint(
  component: Component,
  env: Environment,
): () => Promise<string[]> {
  const bound = { env, parameters: component.parameters }
  const path = component
    .list('property_field_path')
    .map((part) => textTemplate(String(part), bound)())
  const retriever = component.child('retriever')
  const requester = { ...retriever.object('requester'), use_cache: true }
  const fields = { type: 'DeclarativeStream', retriever: { ...retriever.fields, requester } }
  let known: Promise<string[]> | undefined

  async function ask(): Promise<string[]> {
    const stream = buildStream(new Component(fields, component.path), env)
    const properties: string[] = []
    for await (const { records } of readPagesNow(stream, fromAirbyteState({}))) {
      for (const record of records) {
        const name = firstAt(record, path)
        if (name !== undefined) properties.push(str(name))
      }
    }
    return properties
  }

  return () => {
    known ??= ask().catch((error: unknown) => {
      known = undefined
      throw error
    })
    return known
  }
}
