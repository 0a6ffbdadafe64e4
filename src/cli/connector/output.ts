import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { exactJson } from '../../runtime/exact-json.ts'

/** Lines kept before they are handed to the stream in one piece. */
const BLOCK_CHARACTERS = 64 * 1024

/** JSON lines to standard output, with its back-pressure. */
export class LineOutput {
  readonly #stream: Writable
  #block = ''
  #failure: unknown
  #timer: NodeJS.Immediate | undefined

  constructor(stream: Writable) {
    this.#stream = stream
    stream.on('error', (error) => {
      this.#failure = error
    })
  }

  message(message: object): void {
    this.line(exactJson(message) ?? '')
  }

  /** Nothing waits in the block for longer than the event loop's turn. */
  line(text: string): void {
    this.#block += `${text}\n`
    if (this.#block.length >= BLOCK_CHARACTERS) this.#write()
    else this.#timer ??= setImmediate(() => this.#write())
  }

  /** Resolves when the reader of the lines has kept up; rejects when there is none any more. */
  async ready(): Promise<void> {
    if (this.#failure) throw this.#failure
    if (!this.#stream.writableNeedDrain) return
    await Promise.race([once(this.#stream, 'drain'), once(this.#stream, 'close')])
    if (this.#failure) throw this.#failure
  }

  async end(): Promise<void> {
    this.#write()
    await this.ready()
  }

  #write(): void {
    clearImmediate(this.#timer)
    this.#timer = undefined
    if (this.#block === '' || this.#failure) return
    this.#stream.write(this.#block)
    this.#block = ''
  }
}
