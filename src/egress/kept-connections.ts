import type { ConnectorSocket } from '../runtime/contract.ts'
import { ByteReader } from './byte-reader.ts'

/** An open connection, and what it has brought that nobody has read yet. */
export interface Connection {
  socket: ConnectorSocket
  reader: ByteReader
}

export const openConnection = (socket: ConnectorSocket): Connection => ({
  ...{ socket, reader: new ByteReader(socket) },
})

/** Shorter than servers keep theirs: the least of the common defaults is five seconds. */
const KEEP_MS = 4000
/** Of one origin. */
const MOST_IDLE = 8

/** Connections between two requests, by origin. They do not keep a process alive. */
export class KeptConnections {
  readonly #idle = new Map<string, { connection: Connection; since: number }[]>()

  /** The one that was used last, which is the least likely to be closed. */
  take(origin: string): Connection | undefined {
    const idle = this.#idle.get(origin) ?? []
    for (let kept = idle.pop(); kept; kept = idle.pop()) {
      const { connection, since } = kept
      const { socket, reader } = connection
      // Bytes that nobody asked for are no answer to what will be asked.
      const isQuiet = socket.readableLength === 0 && reader.isEmpty
      const isOpen = !socket.destroyed && !socket.readableEnded && socket.writable
      if (isQuiet && isOpen && Date.now() - since < KEEP_MS) {
        socket.ref()
        return connection
      }
      socket.destroy()
    }
    return undefined
  }

  give(origin: string, connection: Connection): void {
    const { socket } = connection
    const idle = this.#idle.get(origin) ?? []
    this.#idle.set(origin, idle)
    idle.push({ connection, since: Date.now() })
    socket.unref()
    if (idle.length > MOST_IDLE) idle.shift()?.connection.socket.destroy()
  }
}
