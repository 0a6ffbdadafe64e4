import { createDatabaseActor } from '../scripts/lib/database-actor.ts'
import { connectMcp } from '../scripts/lib/mcp-client.ts'
import { followSync, type ShownReceipt } from '../scripts/lib/sync-report.ts'
import { toolsOf } from '../scripts/lib/tool-call.ts'
import { median } from './process-stats.ts'

/** A signed-in caller that makes what the bench needs. */
export interface Workbench {
  /** A database by its URL; `more` goes into the config. */
  database(kind: 'source' | 'destination', name: string, url: string, more?: object): Promise<void>
  parquet(name: string): Promise<void>
  /** A source from a manifest of one's own. */
  declarative(name: string, manifest: string, config: object): Promise<void>
  connect(name: string, source: string, destination: string, options?: object): Promise<void>
  sync(name: string): Promise<ShownReceipt>
  /** Deletes a connection. */
  remove(name: string): Promise<void>
  /** Median milliseconds of a tool call that reads, one after the other. */
  toolCallMedian(calls: number): Promise<number>
  close(): Promise<void>
}

export async function openWorkbench(serverUrl: string): Promise<Workbench> {
  const client = await connectMcp(serverUrl, 'bench')
  const call = toolsOf(client)
  return {
    database: (kind, name, url, more) => createDatabaseActor(call, kind, name, url, more),
    parquet: async (name) => {
      await call('create_destination', { name, type: 'r2', config: {} })
    },
    declarative: async (name, manifest, config) => {
      await call('import_connector', { name, manifest, license: 'own' })
      await call('create_source', { name, type: name, config })
    },
    connect: async (name, source, destination, options = {}) => {
      const streams = [
        { name: 'orders', syncMode: 'full_refresh', destinationSyncMode: 'overwrite' },
      ]
      await call('create_connection', { name, source, destination, streams, ...options })
    },
    sync: (name) => followSync(call, name),
    remove: async (name) => {
      await call('delete_resource', { id: name, confirm: name })
    },
    toolCallMedian: async (calls) => {
      const times: number[] = []
      for (let i = 0; i < calls; i++) {
        const started = performance.now()
        await call('get_workspace', {})
        times.push(performance.now() - started)
      }
      return median(times)
    },
    close: () => client.close(),
  }
}
