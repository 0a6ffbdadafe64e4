import { readFileSync } from 'node:fs'
import type { ApiDocument, ApiOperation } from './document.ts'
import { sampleOf } from './sample.ts'
import { flat, problemsOf, type Shape } from './shape.ts'
import { parseInterfaces } from './types-parser.ts'

/** A document that can also make rows. */
export interface TypedDocument extends ApiDocument {
  /** A synthetic answer's row: the n-th item of a list, or the n-th object. `at` leads into it. */
  sample(route: string, n: number, at?: string[]): Record<string, unknown>
  /** The shape of a route's successful answer, with its references followed. */
  answer(route: string): Shape
  follow(shape: Shape): Shape
}

/**
 * A vendor's OpenAPI document from the types that `openapi-typescript` made of it. They are a
 * fraction of the size of the document itself, and have all that the mock asks.
 */
export function openApiTypes(file: string): TypedDocument {
  const roots = parseInterfaces(readFileSync(file, 'utf8'))
  const paths = roots.get('paths')
  if (paths?.kind !== 'object') throw new Error(`${file} has no paths`)
  const byKey = new Map([...paths.fields].map(([path, { shape }]) => [pathKey(path), shape]))

  const follow = (shape: Shape): Shape => {
    if (shape.kind !== 'reference') return shape
    const [root = '', ...keys] = shape.path
    return keys.reduce((node, key) => at(node, key), roots.get(root) ?? missing(shape.path))
  }
  const at = (node: Shape, key: string): Shape => {
    const known = flat(node, follow)
    const field = known.kind === 'object' ? known.fields.get(key) : undefined
    return field?.shape ?? missing([key])
  }
  const optional = (node: Shape | undefined, ...keys: string[]): Shape | undefined => {
    let known = node
    for (const key of keys) {
      const inner = known && flat(known, follow)
      known = inner?.kind === 'object' ? inner.fields.get(key)?.shape : undefined
    }
    return known
  }
  const operationOf = (method: string, path: string) =>
    optional(byKey.get(pathKey(path)), method.toLowerCase())

  function answerOf(operation: Shape | undefined): Shape | undefined {
    for (const status of ['200', '201', '202']) {
      const content = optional(operation, 'responses', status, 'content')
      const json = optional(content, 'application/json')
      if (json) return json
    }
    return undefined
  }

  function answer(route: string): Shape {
    const [method = '', path = ''] = route.split(' ')
    return answerOf(operationOf(method, path)) ?? missing([route])
  }

  return {
    answer,
    follow: (shape) => flat(shape, follow),
    operation(method, path): ApiOperation | undefined {
      const operation = operationOf(method, path)
      if (!operation) return undefined
      const shape = answerOf(operation)
      const body = optional(operation, 'requestBody', 'content', 'application/json')
      return {
        query: namesIn(optional(operation, 'parameters', 'query')),
        body: namesIn(body),
        problems: (value) => (shape ? problemsOf(shape, value, follow) : []),
      }
    },
    sample(route, n, pointer = []) {
      const shape = pointer.reduce((node, key) => at(node, key), answer(route))
      const list = flat(shape, follow)
      return sampleOf(list.kind === 'array' ? list.items : shape, n, follow) as never
    },
  }

  function namesIn(shape: Shape | undefined): Set<string> {
    const known = shape && flat(shape, follow)
    return new Set(known?.kind === 'object' ? known.fields.keys() : [])
  }
}

const missing = (path: string[]): never => {
  throw new Error(`the vendor's document has no ${path.join('/')}`)
}

/** `/repos/{owner}/{repo}` and `/repos/{a}/{b}` are one. */
export const pathKey = (path: string): string => path.replaceAll(/\{[^}]*\}/g, '{}')
