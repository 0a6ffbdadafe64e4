/** Connections that a task of a sync left, for the tasks that the same invocation runs after it. */
export class KeptConnections {
  readonly #idle = new Map<string, Kept[]>()
  #isClosed = false

  /** One that was left under this key. It may have ended since. */
  take<Connection>(key: string): Connection | undefined {
    return this.#idle.get(key)?.pop()?.connection as Connection | undefined
  }

  /** False where none is kept any more: then its user ends it. */
  leave(key: string, connection: unknown, end: () => Promise<void>): boolean {
    if (this.#isClosed) return false
    const others = this.#idle.get(key) ?? []
    this.#idle.set(key, [...others, { connection, end }])
    return true
  }

  /** Ends those that are idle; others are ended by their users. */
  async close(): Promise<void> {
    this.#isClosed = true
    const all = [...this.#idle.values()].flat()
    this.#idle.clear()
    await Promise.all(all.map(({ end }) => end()))
  }
}

interface Kept {
  connection: unknown
  end: () => Promise<void>
}
