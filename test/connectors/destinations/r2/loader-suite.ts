import { describe, expect, it } from 'vitest'
import { currentFiles } from '../../../../connectors/destinations/r2/read.ts'
import type { ObjectStore } from '../../../../src/runtime/contract.ts'
import { batchOf, chunkOf, open, planOf, rowsOf, USERS, users } from './support.ts'

const keysOf = async (store: ObjectStore) =>
  (await store.list('')).objects.map(({ key }) => key).sort()

const dataKeys = async (store: ObjectStore) =>
  (await keysOf(store)).filter((key) => key.includes('generation='))

/** The store, with a hook before each write. */
const watched = (
  store: ObjectStore,
  before: (key: string) => Promise<void> | void,
): ObjectStore => ({
  ...store,
  async put(key, body, onlyIf) {
    await before(key)
    return store.put(key, body, onlyIf)
  },
  async putStream(key, body) {
    const info = await store.putStream(key, body)
    await before(key)
    return info
  },
})

/** What must hold on every store; each test gets an empty one. */
export function loaderSuite(name: string, fresh: () => ObjectStore) {
  describe(`r2 loader on ${name}`, () => {
    it('has no position and no rows before anything was loaded', async () => {
      const store = fresh()
      const loader = open(store)
      expect(await loader.count()).toBeNull()
      expect(await loader.prepare(1)).toBeNull()
      expect(await loader.count()).toBe(0)
    })

    it.each(['Parquet', 'JSONL', 'CSV'])('loads and reads back %s', async (format) => {
      const loader = open(fresh(), planOf(), format)
      await loader.prepare(1)
      const result = await loader.load(chunkOf('a', [users([1, 'Ann'], [2, null], [3, ''])]), 1)
      expect(result).toEqual({
        duplicate: false,
        rows: 3,
        end: { state: { at: 'a' }, complete: false },
        rejects: [],
      })
      await loader.finish(1)
      expect(await loader.count()).toBe(3)
      expect(await rowsOf(loader)).toEqual([
        [1, 'Ann'],
        [2, null],
        [3, ''],
      ])
    })

    it('lays objects out by prefix, namespace, stream and generation', async () => {
      const store = fresh()
      const loader = open(store)
      await loader.prepare(4)
      await loader.load(chunkOf('abc', [users([1, 'x'])]), 4)
      expect(await keysOf(store)).toEqual([
        'public/users/_current.json',
        'public/users/generation=1/00000000-4-abc.parquet',
      ])
    })

    it('gives the last committed position to the next attempt', async () => {
      const store = fresh()
      await open(store).prepare(1)
      await open(store).load(chunkOf('a', [users([1, 'x'])]), 1)
      await open(store).load(chunkOf('b', [users([2, 'y'], [3, 'z'])]), 1)
      expect(await open(store).prepare(2)).toEqual({
        chunkId: 'b',
        end: { state: { at: 'b' }, complete: false },
        rows: 2,
        fence: 1,
      })
    })

    it('does not load a chunk twice, and answers with the end that is in the ledger', async () => {
      const store = fresh()
      const loader = open(store)
      await loader.prepare(1)
      await loader.load(chunkOf('a', [users([1, 'x'])]), 1)
      const again = await loader.load(chunkOf('a', [users([1, 'x'], [2, 'y'])], { at: 'else' }), 1)
      expect(again).toMatchObject({ duplicate: true, rows: 1, end: { state: { at: 'a' } } })
      expect(await rowsOf(loader)).toEqual([[1, 'x']])
      expect(await dataKeys(store)).toHaveLength(1)
    })

    it('refuses a lower fence everywhere', async () => {
      const store = fresh()
      await open(store).prepare(5)
      const late = open(store)
      const lost = { code: 'FENCE_LOST' }
      await expect(late.prepare(4)).rejects.toMatchObject(lost)
      await expect(late.load(chunkOf('a', [users([1, 'x'])]), 4)).rejects.toMatchObject(lost)
      await expect(late.finish(4)).rejects.toMatchObject(lost)
      await expect(late.abort(4)).rejects.toMatchObject(lost)
    })

    it('keeps the late object of a superseded worker invisible, and removes it later', async () => {
      const store = fresh()
      await open(store).prepare(1)
      // The zombie sleeps between its object and its commit; meanwhile the successor loads.
      const zombie = open(
        watched(store, async (key) => {
          if (!key.endsWith('.parquet')) return
          await open(store).prepare(2)
          await open(store).load(chunkOf('a', [users([1, 'new'])]), 2)
        }),
      )
      await expect(zombie.load(chunkOf('a', [users([1, 'old'])]), 1)).rejects.toMatchObject({
        code: 'FENCE_LOST',
      })
      expect(await rowsOf(open(store))).toEqual([[1, 'new']])
      expect(await dataKeys(store)).toHaveLength(2)
      await open(store).finish(2)
      expect(await dataKeys(store)).toEqual(['public/users/generation=1/00000000-2-a.parquet'])
      expect(await rowsOf(open(store))).toEqual([[1, 'new']])
    })

    it('shows nothing of a chunk whose worker died between object and ledger', async () => {
      const store = fresh()
      await open(store).prepare(1)
      const dying = open(
        watched(store, (key) => {
          if (key.endsWith('_current.json')) throw new Error('killed')
        }),
      )
      await expect(dying.load(chunkOf('a', [users([1, 'x'])]), 1)).rejects.toThrow('killed')
      expect(await open(store).count()).toBe(0)
      expect(await open(store).prepare(2)).toBeNull()
      await open(store).load(chunkOf('a', [users([1, 'x'])]), 2)
      expect(await open(store).count()).toBe(1)
      expect(await rowsOf(open(store))).toEqual([[1, 'x']])
    })

    it('knows a chunk whose commit was made but whose answer was lost', async () => {
      const store = fresh()
      await open(store).prepare(1)
      const lossy: ObjectStore = {
        ...store,
        async put(key, body, onlyIf) {
          const info = await store.put(key, body, onlyIf)
          if (key.endsWith('_current.json')) throw new Error('answer lost')
          return info
        },
      }
      await expect(open(lossy).load(chunkOf('a', [users([1, 'x'])]), 1)).rejects.toThrow('lost')
      expect(await open(store).prepare(2)).toMatchObject({ chunkId: 'a', rows: 1 })
      expect(await open(store).load(chunkOf('a', [users([1, 'x'])]), 2)).toMatchObject({
        duplicate: true,
      })
      expect(await rowsOf(open(store))).toEqual([[1, 'x']])
    })

    it('commits the position of a chunk without rows, without an object', async () => {
      const store = fresh()
      const loader = open(store)
      await loader.prepare(1)
      expect(await loader.load(chunkOf('a', []), 1)).toMatchObject({ duplicate: false, rows: 0 })
      expect(await dataKeys(store)).toEqual([])
      expect(await loader.prepare(1)).toMatchObject({ chunkId: 'a', rows: 0 })
    })

    it('shows an overwriting generation only when it is finished, then only it', async () => {
      const store = fresh()
      const first = open(store, planOf({ mode: 'overwrite', minimumGenerationId: 1 }))
      await first.prepare(1)
      await first.load(chunkOf('a', [users([1, 'old'])]), 1)
      expect(await first.count()).toBeNull()
      await first.finish(1)
      expect(await rowsOf(first)).toEqual([[1, 'old']])

      const next = planOf({ mode: 'overwrite', generationId: 2, minimumGenerationId: 2 })
      const second = open(store, next)
      expect(await second.prepare(2)).toBeNull()
      await second.load(chunkOf('b', [users([2, 'new'])]), 2)
      expect(await rowsOf(second)).toEqual([[1, 'old']])
      await second.finish(2)
      expect(await rowsOf(second)).toEqual([[2, 'new']])
      await second.finish(2)
      expect(await rowsOf(second)).toEqual([[2, 'new']])
      expect(await second.prepare(3)).toMatchObject({ chunkId: 'b' })
    })

    it('keeps one replaced generation for readers, and removes it at the next swap', async () => {
      const store = fresh()
      for (const generation of [1, 2, 3]) {
        const plan = { mode: 'overwrite' as const, generationId: generation }
        const loader = open(store, planOf({ ...plan, minimumGenerationId: generation }))
        await loader.prepare(generation)
        await loader.load(chunkOf(`c${generation}`, [users([generation, 'x'])]), generation)
        await loader.finish(generation)
      }
      expect((await dataKeys(store)).map((key) => key.split('/')[2])).toEqual([
        'generation=2',
        'generation=3',
      ])
    })

    it('empties a stream by finishing an overwrite without rows', async () => {
      const store = fresh()
      const first = open(store, planOf({ mode: 'overwrite' }))
      await first.prepare(1)
      await first.load(chunkOf('a', [users([1, 'x'])]), 1)
      await first.finish(1)
      const second = open(store, planOf({ mode: 'overwrite', generationId: 2 }))
      await second.prepare(2)
      expect(await second.count()).toBe(1)
      await second.finish(2)
      expect(await second.count()).toBe(0)
    })

    it('leaves no rows and no objects of an aborted generation', async () => {
      const store = fresh()
      const loader = open(store, planOf({ mode: 'overwrite' }))
      await loader.prepare(1)
      await loader.load(chunkOf('a', [users([1, 'x'])]), 1)
      await loader.abort(1)
      expect(await loader.count()).toBeNull()
      expect(await rowsOf(loader)).toEqual([])
      expect(await dataKeys(store)).toEqual([])
      await expect(loader.load(chunkOf('b', [users([1, 'x'])]), 1)).rejects.toMatchObject({
        code: 'CONFLICT',
      })
      expect(await loader.prepare(2)).toBeNull()
    })

    it('adds a new generation in append mode, and drops the old when the plan says so', async () => {
      const store = fresh()
      const one = open(store)
      await one.prepare(1)
      await one.load(chunkOf('a', [users([1, 'x'])]), 1)
      const two = open(store, planOf({ generationId: 2 }))
      expect(await two.prepare(2)).toBeNull()
      await two.load(chunkOf('b', [users([2, 'y'])]), 2)
      expect(await rowsOf(two)).toEqual([
        [1, 'x'],
        [2, 'y'],
      ])
      expect(await rowsOf(two, 2)).toEqual([[2, 'y']])
      const three = open(store, planOf({ generationId: 3, minimumGenerationId: 3 }))
      await three.prepare(3)
      await three.load(chunkOf('c', [users([3, 'z'])]), 3)
      expect(await three.count()).toBe(2)
      await three.finish(3)
      expect(await rowsOf(three)).toEqual([[3, 'z']])
    })

    it('lets another connection take a stream over, with fences of its own', async () => {
      const store = fresh()
      await open(store).prepare(90)
      await open(store).load(chunkOf('a', [users([1, 'x'])]), 90)
      const heir = open(store, planOf({ connectionId: 'c2' }))
      expect(await heir.prepare(1)).toBeNull()
      await heir.load(chunkOf('b', [users([2, 'y'])]), 1)
      await heir.finish(1)
      expect(await heir.count()).toBe(2)
      await expect(open(store).load(chunkOf('c', []), 91)).rejects.toMatchObject({
        code: 'FENCE_LOST',
      })
    })

    it('keeps the ledger bounded over hundreds of chunks, and still knows the first', async () => {
      const store = fresh()
      const loader = open(store, planOf(), 'CSV')
      await loader.prepare(1)
      for (let i = 0; i < 230; i++) await loader.load(chunkOf(`c${i}`, [users([i, 'x'])]), 1)
      expect((await store.head('public/users/_current.json'))?.size).toBeLessThan(64 * 1024)
      expect(await loader.load(chunkOf('c0', [users([0, 'x'])]), 1)).toMatchObject({
        duplicate: true,
        end: { state: { at: 'c0' } },
      })
      expect(await loader.prepare(2)).toMatchObject({ chunkId: 'c229' })
      await loader.finish(2)
      expect((await rowsOf(loader)).map(([id]) => id)).toEqual(
        Array.from({ length: 230 }, (_, i) => i),
      )
      const files = await currentFiles(store, planOf().target)
      expect(files?.files).toHaveLength(230)
    })

    it.each(['Parquet', 'JSONL', 'CSV'])('reads the latest row by key from %s', async (format) => {
      const store = fresh()
      const loader = open(store, planOf({ mode: 'append_dedup' }), format)
      await loader.prepare(1)
      await loader.load(chunkOf('a', [users([1, 'a'], [2, 'b'], [3, 'c'], [1, 'a2'])]), 1)
      const changes = batchOf(
        USERS,
        [
          [2, 3],
          [null, 'c2'],
        ],
        { op: ['d', 'u'] },
      )
      await loader.load(chunkOf('b', [changes]), 1)
      await loader.finish(1)
      expect((await rowsOf(loader)).sort()).toEqual([
        [1, 'a2'],
        [3, 'c2'],
      ])
      expect(await loader.count()).toBe(2)
    })

    it('rejects a row whose key the file cannot hold, and none that has left the stream', async () => {
      const loader = open(fresh(), planOf({ mode: 'append_dedup' }), 'Parquet')
      await loader.prepare(1)
      const cells = [
        [1, 'one', 'two'],
        ['a', 'b', null],
      ]
      const batch = { ...batchOf(USERS, cells), op: ['u' as const, 'u' as const, 'x' as const] }
      const { rows, rejects } = await loader.load(chunkOf('a', [batch]), 1)
      expect(rows).toBe(1)
      expect(rejects).toMatchObject([{ field: 'id', row: '{"id":"one","name":"b"}' }])
      expect(await rowsOf(loader)).toEqual([[1, 'a']])
    })

    it.each(['Parquet', 'JSONL', 'CSV'])('keeps rows without a key out of %s', async (format) => {
      const loader = open(fresh(), planOf({ mode: 'append_dedup' }), format)
      await loader.prepare(1)
      const batch = batchOf(USERS, [
        [1, null, 3],
        ['a', 'nobody', 'c'],
      ])
      const { rows, rejects } = await loader.load(chunkOf('a', [batch]), 1)
      expect(rows).toBe(2)
      const row = '{"id":null,"name":"nobody"}'
      expect(rejects).toEqual([{ reason: 'a primary key column is null', field: 'id', row }])
      expect(await rowsOf(loader)).toEqual([
        [1, 'a'],
        [3, 'c'],
      ])
    })

    it('reads the latest rows and counts them where keys are too many to hold at once', async () => {
      const loader = open(fresh(), planOf({ mode: 'append_dedup' }))
      await loader.prepare(1)
      const keys = Array.from({ length: 300_000 }, (_, i) => i)
      const versions = (name: string) => [batchOf(USERS, [keys, keys.map(() => name)])]
      await loader.load(chunkOf('a', versions('old')), 1)
      await loader.load(chunkOf('b', versions('new')), 1)
      expect(await loader.count()).toBe(keys.length)
      const rows = await rowsOf(loader)
      expect(rows.every(([, name]) => name === 'new')).toBe(true)
      expect(rows.map(([id]) => Number(id)).sort((a, b) => a - b)).toEqual(keys)
    })

    it('bounds the count of a stream too large to read by its ledger', async () => {
      const loader = open(fresh(), planOf({ mode: 'append_dedup', columns: USERS.slice(0, 1) }))
      await loader.prepare(1)
      const batch = batchOf(USERS.slice(0, 1), [Array.from({ length: 20_000 }, (_, i) => i)])
      await loader.load(chunkOf('a', new Array(51).fill(batch)), 1)
      const deletes = batchOf(USERS.slice(0, 1), [[1, 2]], { op: ['d', 'd'] })
      await loader.load(chunkOf('b', [deletes]), 1)
      expect(await loader.count()).toBe(51 * 20_000)
    })

    it('refuses deletes where there is no place for them', async () => {
      const loader = open(fresh())
      await loader.prepare(1)
      const deletes = batchOf(USERS, [[1], ['x']], { op: ['d'] })
      await expect(loader.load(chunkOf('a', [deletes]), 1)).rejects.toMatchObject({
        code: 'UNSUPPORTED',
      })
    })

    it('writes the same bytes when a chunk is loaded again', async () => {
      const bytes: string[] = []
      for (let i = 0; i < 2; i++) {
        const store = fresh()
        const loader = open(store, planOf(), 'CSV')
        await loader.prepare(1)
        await loader.load(chunkOf('a', [users([1, 'x'], [2, 'y'])]), 1)
        const object = await store.get((await dataKeys(store))[0] ?? '')
        bytes.push(await new Response(object?.body).text())
      }
      expect(bytes[0]).toBe(bytes[1])
    })
  })
}
