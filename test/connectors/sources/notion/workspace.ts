import type { JsonObject } from '../../../../src/protocol/index.ts'
import { manifestSchemas } from '../declarative/connector.ts'
import { hourMs, uuid } from '../declarative/synthetic.ts'
import { rowOf } from '../declarative/synthetic-row.ts'

/** As Notion writes moments: whole minutes. */
const moment = (hour: number): string => new Date(hourMs(hour)).toISOString()

/** A synthetic workspace: databases, pages with blocks, blocks with blocks, and comments. */
export class Workspace {
  readonly users: JsonObject[]
  readonly databases: JsonObject[] = []
  readonly pages: JsonObject[] = []
  /** Of pages and of blocks, by the id of what they stand in. */
  readonly children = new Map<string, JsonObject[]>()
  readonly comments = new Map<string, JsonObject[]>()
  readonly #schemas = manifestSchemas('notion')
  /** Each thing is made an hour after the one before. */
  #hour = 0

  constructor() {
    this.users = [0, 1, 2].map((n) => this.#make('users', n))
    for (let n = 0; n < 3; n++) this.add('databases')
    for (let n = 0; n < 3; n++) {
      const page = this.add('pages')
      for (let block = 0; block < 3; block++) {
        const parent = this.#addChild('blocks', page, { has_children: block === 0 })
        if (block > 0) continue
        for (let inner = 0; inner < 3; inner++) {
          this.#addChild('nested_blocks', parent, { has_children: false })
        }
      }
      const id = String(page.id)
      this.comments.set(
        id,
        [0, 1, 2].map((n) => this.#make('comments', n, `${id} ${n}`)),
      )
      page.last_edited_time = moment(this.#hour)
    }
  }

  add(kind: 'pages' | 'databases'): JsonObject {
    const rows = this[kind]
    const row = this.#make(kind, rows.length)
    rows.push(row)
    return row
  }

  addBlock(): void {
    const [page] = this.pages
    if (page) this.#edited(page, this.#addChild('blocks', page, { has_children: false }))
  }

  editBlock(): void {
    const [page] = this.pages
    const [block] = this.children.get(String(page?.id)) ?? []
    if (page && block) this.#edited(page, this.edit(block))
  }

  edit(row: JsonObject | undefined): JsonObject {
    if (!row) throw new Error('nothing to edit')
    row.last_edited_time = moment(++this.#hour)
    return row
  }

  blocks(): JsonObject[] {
    return this.pages.flatMap(({ id }) => this.children.get(String(id)) ?? [])
  }

  nestedBlocks(): JsonObject[] {
    return this.blocks().flatMap(({ id }) => this.children.get(String(id)) ?? [])
  }

  /** An edit of a block is one of its page. */
  #edited(page: JsonObject, block: JsonObject): void {
    page.last_edited_time = String(block.last_edited_time)
  }

  #addChild(stream: string, parent: JsonObject, known: JsonObject): JsonObject {
    const id = String(parent.id)
    const siblings = this.children.get(id) ?? []
    const row = this.#make(stream, siblings.length, `${id} ${siblings.length}`)
    const child = { ...row, type: 'paragraph', ...known }
    this.children.set(id, [...siblings, child])
    return child
  }

  #make(stream: string, n: number, name = `${stream} ${n}`): JsonObject {
    const at = moment(++this.#hour)
    const row = rowOf(this.#schemas.get(stream) ?? {}, n, { id: uuid(`${stream} ${name}`) })
    const isDated = 'last_edited_time' in row
    return { ...row, ...(isDated ? { created_time: at, last_edited_time: at } : {}) }
  }
}
