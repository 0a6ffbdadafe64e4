import type { ConnectorContext } from '../../runtime/contract.ts'
import type { PostgresConfig } from '../../runtime/postgres/config.ts'
import { takeTurns } from '../../runtime/turns.ts'
import { type DecoderOptions, PgOutputDecoder } from './pgoutput/decoder.ts'
import type { ChangeEvent } from './pgoutput/events.ts'
import type { CdcPosition } from './position.ts'
import { openReplication, type ReplicationOptions } from './protocol/replication-stream.ts'

export interface ChangeFeedOptions
  extends Omit<DecoderOptions, 'now' | 'position'>,
    Omit<ReplicationOptions, 'start'> {
  /** What is durable already. After a lost connection give the last checkpoint that was made so. */
  position: CdcPosition
  /**
   * Milliseconds that a row waits for a fuller batch; default 1000. A transaction that is still being
   * sent is waited for.
   */
  lingerMs?: number
}

/** Changes as they are committed. One reader. */
export interface ChangeFeed extends AsyncIterable<ChangeEvent> {
  /** The walsender's process. */
  readonly pid: number
  /** Lets the server forget the log up to here: call it once everything up to here is durable. */
  acknowledge(position: CdcPosition): void
  /** Has the server say how far it is: a checkpoint follows as soon as it has answered. */
  ask(): void
  /** Ends the feed; leaving the loop does it too. Never rejects. */
  close(): Promise<void>
}

/**
 * Opens the log at a position. With `bound` the feed ends there, however much is written meanwhile
 * (`freezeBound` gives one); without, it goes on until it is closed.
 *
 * Rejects, as does each step of the loop, with CDC_SETUP_REQUIRED, CDC_SLOT_IN_USE, CDC_POSITION_LOST,
 * CONNECTION_LOST or what `connectPostgres` rejects with.
 *
 * @example
 * const feed = await openChangeFeed(ctx, config, { slot, publications, position, bound, describe, applicationName })
 * for await (const event of feed) {
 *   if (event.type === 'changes') rows.push(event.batch)
 *   if (event.type === 'checkpoint') {
 *     await store(rows.splice(0), positionToJson(event.position))
 *     feed.acknowledge(event.position)
 *   }
 * }
 */
export async function openChangeFeed(
  ctx: ConnectorContext,
  config: PostgresConfig,
  options: ChangeFeedOptions,
): Promise<ChangeFeed> {
  const { position, lingerMs = 1000 } = options
  const decoder = new PgOutputDecoder({ ...options, now: ctx.now })
  const stream = await openReplication(ctx, config, { ...options, start: position.confirmed })

  const turn = takeTurns(ctx.now)
  let asked = false
  let flushed = ctx.now()

  function flushIfDue(idle: boolean) {
    const due = idle || asked || ctx.now() - flushed >= lingerMs
    if (options.bound !== undefined || decoder.insideTransaction || !due) return
    asked = false
    flushed = ctx.now()
    decoder.flush()
  }

  async function* events(): AsyncGenerator<ChangeEvent> {
    try {
      while (!decoder.done) {
        await turn()
        const bytes = await stream.next(lingerMs)
        if (bytes) decoder.decode(bytes)
        else if (!stream.idle) break
        else if (options.bound !== undefined) stream.ask()
        flushIfDue(bytes === undefined)
        yield* decoder.take()
      }
      decoder.flush()
      yield* decoder.take()
    } finally {
      await stream.close()
    }
  }

  return {
    pid: stream.pid,
    acknowledge: ({ confirmed }) => stream.acknowledge(confirmed),
    ask() {
      asked = true
      stream.ask()
    },
    close: () => stream.close(),
    [Symbol.asyncIterator]: events,
  }
}
