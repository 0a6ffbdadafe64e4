import { AirbyteError, isObject, type JsonObject } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { notRegistered } from './part.ts'

/**
 * Why a stream cannot run here: the first of its nodes, or of its parents' nodes, whose class is not
 * registered. Undefined for a stream that can.
 */
export function missingClass(stream: Component, env: Environment): AirbyteError | undefined {
  const { language, custom } = env

  function find(node: unknown, path: string, parent?: string): AirbyteError | undefined {
    if (Array.isArray(node)) {
      for (const [index, item] of node.entries()) {
        const found = find(item, `${path}[${index}]`, parent)
        if (found) return found
      }
      return undefined
    }
    if (!isObject(node)) return undefined
    const { type, class_name: name } = node
    if (type === 'CustomIncrementalSync') return noCursor(String(name), path)
    if (typeof type === 'string' && type.startsWith('Custom') && typeof name === 'string') {
      if (!custom?.find(name)) return notRegistered(name, path, env.stream, parent)
    }
    for (const [field, value] of Object.entries(node)) {
      if (field === 'schema' || field === '$parameters') continue
      const here = field === 'stream' && type === 'ParentStreamConfig' ? nameOf(value) : parent
      const found = find(value, `${path}.${field}`, here)
      if (found) return found
    }
    return undefined
  }

  const noCursor = (name: string, path: string) =>
    new AirbyteError(
      'UNSUPPORTED',
      `${path}: the cursor '${name}' is a CustomIncrementalSync, which ${language?.was('customIncrementalSync') ? 'keeps a state of its own and has no counterpart here' : 'is no longer part of the language'}.`,
      {
        ...{ field: path, stream: env.stream },
        hint: 'Read the stream with a DatetimeBasedCursor, or without incremental_sync.',
      },
    )

  return find(stream.fields, stream.path)
}

const nameOf = (stream: unknown) => String((stream as JsonObject).name ?? 'without a name')
