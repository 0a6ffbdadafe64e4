import type { QueryProperties } from '../properties/index.ts'
import { isMapping, setOwn } from '../python/mappings.ts'
import { isPlainObject, type Value } from '../python/values.ts'
import type { RecordData } from '../records/types.ts'
import type { OpenPage } from './open-page.ts'
import { openPage, type PageParts, repetitionGuard } from './pages.ts'
import type { Retriever } from './retriever.ts'

/** Asks for each page once for each chunk of its properties, and makes one record of its parts. */
export function fetchPropertyPages(parts: PageParts, properties: QueryProperties): Retriever {
  const repetition = repetitionGuard(parts.stream)
  return {
    initialToken: parts.paginator.initial,
    close: async () => {},
    async fetch(slice, token, progress, size) {
      const merger = new Merger(properties)
      let page: OpenPage | undefined
      let asked = slice
      for (const chunk of await properties.chunks()) {
        asked = { ...slice, extra: { query_properties: chunk } }
        page = await openPage(parts, { slice, asked, token, progress, size })
        if (page) await readAll(page, merger)
      }
      const records = merger.records()
      if (!page) return { records, next: null }
      const found = { answer: page.answer, extracted: page.read, records, size }
      const counted = { ...found, count: records.length, lastRecord: records.at(-1) }
      const next = await parts.paginator.next(counted, token, asked)
      repetition(page, token, next)
      return { records: parts.wanted ? records.filter(parts.wanted) : records, next }
    },
  }
}

async function readAll(page: OpenPage, merger: Merger): Promise<void> {
  try {
    for (;;) {
      const { records, isLast } = await page.next()
      for (const record of records) merger.add(record)
      if (isLast) return
    }
  } finally {
    await page.close()
  }
}

/** Parts of records that belong together; those without a key stay as they are, and come first. */
class Merger {
  readonly #keyOf: QueryProperties['mergeKey']
  readonly #single: RecordData[] = []
  readonly #merged = new Map<string, RecordData>()

  constructor({ mergeKey }: QueryProperties) {
    this.#keyOf = mergeKey
  }

  add(record: RecordData): void {
    const key = this.#keyOf?.(record)
    if (key === undefined) {
      this.#single.push(record)
      return
    }
    const known = this.#merged.get(key)
    if (known) mergeInto(known, record)
    else this.#merged.set(key, { ...record })
  }

  records(): RecordData[] {
    return [...this.#single, ...this.#merged.values()]
  }
}

function mergeInto(target: RecordData, source: RecordData): void {
  for (const [name, value] of Object.entries(source)) {
    const present: Value = Object.hasOwn(target, name) ? target[name] : undefined
    if (isPlainObject(present) && isMapping(value)) {
      const inner = { ...present }
      mergeInto(inner, value as RecordData)
      setOwn(target, name, inner)
    } else setOwn(target, name, value)
  }
}
