import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { parse } from 'yaml'
import { AirbyteError, isObject, type JsonObject } from '../../protocol/index.ts'
import { loads, toJson } from '../../runtime/declarative/python/json.ts'

/** The text of a file, or of standard input for `-`. */
export async function readText(path: string, stdin: NodeJS.ReadableStream): Promise<string> {
  if (path === '-') return text(stdin)
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw unusable(path, error)
  }
}

/** A JSON or YAML document; integers of any size keep their digits in JSON. */
export function parseDocument(document: string, path: string): unknown {
  try {
    return /^\s*[{[]/.test(document) ? toJson(loads(document)) : parse(document)
  } catch (error) {
    throw unusable(path, error)
  }
}

export async function readObject(path: string, stdin: NodeJS.ReadableStream): Promise<JsonObject> {
  const value = parseDocument(await readText(path, stdin), path)
  if (isObject(value)) return value
  throw new AirbyteError('VALIDATION_FAILED', `${path} is not an object.`)
}

function unusable(path: string, error: unknown): AirbyteError {
  const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
  return new AirbyteError('VALIDATION_FAILED', `${path} cannot be used: ${reason}`)
}
