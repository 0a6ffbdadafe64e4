import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

/** Events a client can still ask for after its stream broke. */
const KEPT = 500

export const EVENT_STORE_SCHEMA = `
  create table mcp_events (
    id integer primary key autoincrement,
    stream text not null,
    message text not null
  );
`

/** What was sent on a session's streams, so that a dropped stream can be taken up where it broke. */
export class SqlEventStore implements EventStore {
  private readonly sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.sql = sql
  }

  async storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    const { id } = this.sql
      .exec<{ id: number }>(
        'insert into mcp_events (stream, message) values (?, ?) returning id',
        stream,
        JSON.stringify(message),
      )
      .one()
    this.sql.exec('delete from mcp_events where id <= ?', id - KEPT)
    return `${stream}_${id}`
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return parse(eventId)?.stream
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const last = parse(lastEventId)
    if (!last) throw new Error('unknown event id')
    const rows = this.sql.exec<{ id: number; message: string }>(
      'select id, message from mcp_events where stream = ? and id > ? order by id',
      last.stream,
      last.id,
    )
    for (const { id, message } of rows.toArray()) {
      // Priming events are stored as empty messages and carry nothing to replay.
      if (message !== '{}') await send(`${last.stream}_${id}`, JSON.parse(message))
    }
    return last.stream
  }
}

function parse(eventId: string): { stream: string; id: number } | null {
  const at = eventId.lastIndexOf('_')
  const id = Number(eventId.slice(at + 1))
  return at > 0 && Number.isSafeInteger(id) ? { stream: eventId.slice(0, at), id } : null
}
