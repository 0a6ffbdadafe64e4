/** A destination whose disk is full, what diagnose_sync says of it, and how it goes on with more room. */
import { spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { type RunningServer, startServer } from '../support/dev-server.ts'
import { type Desk, openDesk } from './support/cdc-pipeline.ts'

const directory = mkdtempSync(join(tmpdir(), 'airbyte-full-disk-'))
const disk = mkdtempSync(join(tmpdir(), 'airbyte-disk-'))
const mount = (...options: string[]) =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', disk]).status === 0
/** Needs root and the right to mount, which not every CI gives. */
const isReal = mount('size=16m')

let server: RunningServer
let desk: Desk
let postgres: RunningPostgres
let target: Client

beforeAll(async () => {
  postgres = await startPostgres()
  server = await startServer({ stateDirectory: directory })
  desk = await openDesk(server.url)
  target = new Client(await postgres.createDatabase('target'))
  await target.connect()
  await target.query('create schema landed')
})

afterAll(async () => {
  await desk?.close()
  await server?.stop()
  await target?.end()
  await postgres?.stop()
  if (isReal) spawnSync('umount', [disk])
  for (const path of [disk, directory]) rmSync(path, { recursive: true, force: true })
})

/** A tablespace on a small file system; or, where nothing can be mounted, what a trigger says. */
async function fill(): Promise<void> {
  if (isReal) {
    const { rows } = await target.query('show data_directory')
    const { uid, gid } = statSync(rows[0].data_directory)
    chownSync(disk, uid, gid)
    await target.query(`create tablespace small location '${disk}'`)
    await target.query('alter database target set default_tablespace = small')
    return
  }
  await target.query(`
    create function landed.full() returns trigger language plpgsql as $$ begin
      raise exception 'No space left on device' using errcode = '53100'; end $$;
    create table landed.events (id bigint primary key, payload text);
    create trigger full before insert on landed.events execute function landed.full()`)
}

async function makeRoom(): Promise<void> {
  if (isReal) expect(mount('remount', 'size=256m')).toBe(true)
  else await target.query('drop table landed.events; drop function landed.full')
}

it(
  isReal
    ? 'a destination whose disk is full fails by that name, and the next sync goes on when there is room'
    : 'a destination of which a trigger says that its disk is full (nothing can be mounted here) fails by that name',
  async () => {
    const source = new Client(inject('pgUrl'))
    await source.connect()
    await source.query(`drop table if exists public.events; create table public.events (id bigint primary key, payload text);
      insert into public.events select i, repeat(md5(i::text), 30) from generate_series(1, 40000) i`)
    await fill()
    await desk.connect(
      'full',
      {
        source: { type: 'postgres', url: inject('pgUrl') },
        destination: {
          ...{ type: 'postgres', url: `postgres://postgres:pw@127.0.0.1:${postgres.port}/target` },
          config: { schema: 'landed' },
        },
      },
      {
        streams: [{ name: 'events', syncMode: 'full_refresh', destinationSyncMode: 'append' }],
        namespace: 'landed',
      },
    )
    const failed = await desk.sync('full')
    expect(failed.streams[0]?.error).toMatchObject({
      code: 'DESTINATION_FULL',
      message: expect.stringContaining('No space left on device'),
    })
    const { findings } = await desk.diagnose('full')
    expect(findings).toMatchObject([
      {
        cause: 'destination_full',
        next: expect.stringContaining('space'),
        call: { tool: 'run_sync' },
      },
    ])
    await makeRoom()
    const again = await desk.sync('full')
    expect(again.streams[0]?.error).toBeUndefined()
    const ask = `select count(*)::int as n, count(distinct id)::int as ids, md5(string_agg(payload, '' order by id)) as hash from`
    const there = (await source.query(`${ask} public.events`)).rows
    expect((await target.query(`${ask} landed.events`)).rows).toEqual(there)
    await source.query('drop table public.events')
    await source.end()
  },
)
