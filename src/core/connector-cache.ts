/** Parsed manifests are some ten times their text, and slices share the isolate with them. */
const MAX_BYTES = 3 * 1024 * 1024
const MAX_ENTRIES = 16

interface Entry<C> {
  loading: Promise<C>
  bytes: number
}

/**
 * The connectors that an isolate used last, so that not every slice reads and parses a manifest.
 * A key must name the workspace and the content: one isolate serves many workspaces.
 */
export class ConnectorCache<C> {
  readonly #entries = new Map<string, Entry<C>>()

  /** `load` runs once for all who ask at the same time; what fails is not kept. */
  get(key: string, load: () => Promise<{ connector: C; bytes: number }>): Promise<C> {
    const known = this.#entries.get(key)
    this.#entries.delete(key)
    const entry = known ?? this.#begin(key, load)
    this.#entries.set(key, entry)
    return entry.loading
  }

  get size(): number {
    return this.#entries.size
  }

  #begin(key: string, load: () => Promise<{ connector: C; bytes: number }>): Entry<C> {
    const loading = load().then(({ connector, bytes }) => {
      entry.bytes = bytes
      this.#shrink()
      return connector
    })
    const entry: Entry<C> = { loading, bytes: 0 }
    loading.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
    })
    return entry
  }

  /** The oldest go first; the newest stays, however large it is. */
  #shrink(): void {
    let bytes = [...this.#entries.values()].reduce((sum, entry) => sum + entry.bytes, 0)
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= 1) return
      if (bytes <= MAX_BYTES && this.#entries.size <= MAX_ENTRIES) return
      this.#entries.delete(key)
      bytes -= entry.bytes
    }
  }
}
