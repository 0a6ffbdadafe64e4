import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { ConnectionStore } from '../../src/durable-object/connection-store.ts'
import type { ConnectionRecord } from '../../src/durable-object/rpc.ts'
import { stream } from './harness.ts'

const record = (count: number): ConnectionRecord => ({
  ...{ id: 'c', tenantId: 'local', sourceId: 's', destinationId: 'd', name: 'many' },
  ...{ schedule: { type: 'manual' }, normalization: 'basic', transfer: 'auto', maxRejects: 0 },
  ...{ schemaChanges: 'ignore', status: 'active', createdAt: 1, updatedAt: 1 },
  streams: Array.from({ length: count }, (_, i) =>
    stream({ name: `table ${i} 🗂`, selectedFields: ['id', 'one', 'two', 'three', 'four'] }),
  ),
})

const inConnection = (name: string, work: (storage: DurableObjectStorage) => void) =>
  runInDurableObject(env.CONNECTION.getByName(`local:${name}`), (_, { storage }) => work(storage))

it('a connection of 20,000 streams is kept, though a value may not be so large', () =>
  inConnection('large', (storage) => {
    const whole = record(20_000)
    expect(JSON.stringify(whole).length).toBeGreaterThan(2 * 1024 * 1024)
    new ConnectionStore(storage).saveRecord(whole)
    expect(new ConnectionStore(storage).record()).toEqual(whole)
  }))

it('its streams are written when they change, and not with every status', () =>
  inConnection('kept', (storage) => {
    const store = new ConnectionStore(storage)
    store.saveRecord(record(3))
    const pieces = () => storage.sql.exec('select * from stream_configs').toArray().length
    storage.sql.exec('delete from stream_configs')
    store.saveRecord({ ...record(3), status: 'paused' })
    expect(pieces()).toBe(0)
    store.saveRecord({ ...record(4), status: 'paused' })
    expect(pieces()).toBe(1)
    expect(new ConnectionStore(storage).record()).toEqual({ ...record(4), status: 'paused' })
  }))

it('a change that is taken back is not remembered', () =>
  inConnection('back', (storage) => {
    const store = new ConnectionStore(storage)
    store.saveRecord(record(3))
    const broken = () =>
      storage.transactionSync(() => {
        store.saveRecord(record(4))
        throw new Error('taken back')
      })
    expect(broken).toThrow('taken back')
    expect(store.record()?.streams).toHaveLength(3)
    store.saveRecord(record(4))
    expect(new ConnectionStore(storage).record()?.streams).toHaveLength(4)
  }))
