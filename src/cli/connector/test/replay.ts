import { AirbyteError, isObject } from '../../../protocol/index.ts'
import type { HttpClient } from '../../../runtime/contract.ts'
import { exactJson } from '../../../runtime/exact-json.ts'
import { MASK } from '../../../vault/index.ts'
import type { HttpRule, RequestMatch } from './case.ts'
import { matchOf, responseOf } from './record.ts'

export interface Replayer {
  http: HttpClient
  requests: number
  /** What is wrong with the requests: those that no rule knows, and answers that nobody asked for. */
  problems(): string[]
}

/** Answers from the rules of a case, without network. A request that no rule knows ends the command. */
export function replayingHttp(rules: HttpRule[], abort: (reason: AirbyteError) => void): Replayer {
  const left = rules.map(({ match, respond }) => ({ match, answers: [...respond] }))
  const unknown: string[] = []
  const replayer: Replayer = {
    requests: 0,
    http: {
      async fetch(url, init) {
        replayer.requests += 1
        const asked = matchOf(url, init)
        const rule = left.find(({ match, answers }) => answers.length > 0 && fits(match, asked))
        const answer = rule?.answers.shift()
        if (answer) return responseOf(answer, String(url))
        unknown.push(`${asked.method} ${url}`)
        const error = new AirbyteError('REQUEST_REFUSED', `No answer was recorded for ${url}.`, {
          hint: 'Record the case again if the manifest was meant to ask for it.',
        })
        abort(error)
        throw error
      },
    },
    problems() {
      const unused = left.flatMap(({ match, answers }) => answers.map(() => match))
      return [
        ...unknown.map((request) => `unknown request ${request}`),
        ...unused.map(({ method, url }) => `not asked for: ${method} ${url}`),
      ]
    },
  }
  return replayer
}

function fits(recorded: RequestMatch, asked: RequestMatch): boolean {
  const { headers, body } = recorded
  const { subset: given = {} } = asked.headers ?? {}
  return (
    recorded.method === asked.method &&
    alike(recorded.url, asked.url) &&
    alike(recorded.query.exact, asked.query.exact) &&
    Object.entries(headers?.subset ?? {}).every(([name, value]) => alike(value, given[name])) &&
    alike(body, asked.body)
  )
}

/** Equal, but for masks, which stand for anything. */
export function alike(recorded: unknown, actual: unknown): boolean {
  if (typeof recorded === 'string' && typeof actual === 'string') return textFits(recorded, actual)
  if (Array.isArray(recorded) && Array.isArray(actual)) {
    return recorded.length === actual.length && recorded.every((item, i) => alike(item, actual[i]))
  }
  if (isObject(recorded) && isObject(actual)) {
    const names = new Set([...Object.keys(recorded), ...Object.keys(actual)])
    return [...names].every((name) => alike(recorded[name], actual[name]))
  }
  return exactJson(recorded) === exactJson(actual)
}

function textFits(recorded: string, actual: string): boolean {
  if (!recorded.includes(MASK)) return recorded === actual
  const pattern = recorded.split(MASK).map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${pattern.join('.*')}$`, 's').test(actual)
}
