import type { JsonObject } from '../../../../src/protocol/index.ts'
import { manifestSchemas } from '../declarative/connector.ts'
import { hourSeconds } from '../declarative/synthetic.ts'
import { rowOf } from '../declarative/synthetic-row.ts'

/** As Slack writes it: seconds with six digits more, as text. */
const ts = (hour: number): string => `${hourSeconds(hour)}.000100`

/** What the connector adds to a message; Slack has no such fields. */
const ADDED = ['channel_id', 'float_ts']

/** A synthetic workspace: people, groups, channels with members, messages and threads. */
export class Workspace {
  readonly team: JsonObject
  readonly users: JsonObject[]
  readonly groups: JsonObject[]
  readonly channels: JsonObject[]
  /** Of each channel, oldest first. */
  readonly messages = new Map<string, JsonObject[]>()
  /** Of each thread, by channel and `ts` of its first message, which is among them. */
  readonly threads = new Map<string, JsonObject[]>()
  readonly #schemas = manifestSchemas('slack')
  #hour = 0

  constructor() {
    this.team = this.#row('team', 0, { id: 'T0' })
    this.users = [0, 1, 2].map((n) => this.#row('users', n, { id: `U${n}` }))
    this.groups = [0, 1, 2].map((n) => this.#row('user_groups', n, { id: `S${n}` }))
    this.channels = [0, 1, 2].map((n) =>
      this.#row('channels', n, { id: `C${n}`, name: `channel-${n}` }),
    )
    for (const channel of this.channels) {
      const id = String(channel.id)
      for (let n = 0; n < 3; n++) this.post(id)
      this.startThread(id)
    }
  }

  get members(): string[] {
    return this.users.map(({ id }) => String(id))
  }

  post(channel: string, known: JsonObject = {}): JsonObject {
    const message = this.#message({ reply_count: null, ...known })
    this.messages.set(channel, [...(this.messages.get(channel) ?? []), message])
    return message
  }

  /** A message with two replies. */
  startThread(channel: string): void {
    const first = this.post(channel, { reply_count: 2 })
    first.thread_ts = String(first.ts)
    const replies = [0, 1].map(() =>
      this.#message({ reply_count: null, thread_ts: first.ts ?? '' }),
    )
    this.threads.set(`${channel} ${first.ts}`, [first, ...replies])
  }

  #message(known: JsonObject): JsonObject {
    const at = ts(++this.#hour)
    const row = this.#row('channel_messages', this.#hour, { ...known, ts: at, type: 'message' })
    for (const name of ADDED) delete row[name]
    return row
  }

  #row(stream: string, n: number, known: JsonObject): JsonObject {
    return rowOf(this.#schemas.get(stream) ?? {}, n, known)
  }
}
