import { createHash } from 'node:crypto'
import { AirbyteError, FILE_REFERENCE } from '../../../protocol/index.ts'
import type { ObjectStore } from '../../contract.ts'
import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { textTemplate } from '../interpolation.ts'
import { dumps } from '../python/json.ts'
import { buildExtractor } from '../records/extractor.ts'
import type { RecordData } from '../records/types.ts'
import { Answer } from '../requester/answer.ts'
import { buildRequester } from '../requester/http-requester.ts'
import type { Stream } from '../stream/build.ts'

/** Stores the files that records stand for, and notes in each record where its file is. */
export type Uploader = (records: RecordData[]) => Promise<void>

/**
 * The uploader of a stream whose files are asked for. Files are handed on to the store as they come
 * in; one that is read again overwrites itself.
 *
 * @throws UNSUPPORTED where the host has no store, or the stream no files
 */
export function fileUploader(stream: Stream, prefix: string): Uploader {
  const { env, name } = stream
  const component = stream.component.optionalChild('file_uploader')
  const store = env.ctx.warehouse
  if (!component || !store) {
    const what = component ? 'there is no store for files here' : 'its records stand for no files'
    throw new AirbyteError('UNSUPPORTED', `${name}: ${what}.`, {
      ...{ stream: name, hint: 'Read the stream without its files.' },
    })
  }
  const nameOf = fileNames(component, stream)
  const upload = uploader(component, env, store)
  return async (records) => {
    for (const record of records) {
      const path = `${name}/${nameOf(record)}`
      record[FILE_REFERENCE] = (await upload(record, `${prefix}${path}`, path)) ?? null
    }
  }
}

function uploader(component: Component, env: Environment, store: ObjectStore) {
  const { extract } = buildExtractor(
    component.child('download_target_extractor'),
    env,
    component.optionalChild('decoder'),
  )
  const requester = buildRequester(component.child('requester'), env)

  async function targetOf(record: RecordData): Promise<string | undefined> {
    for await (const [target] of extract(Answer.holding(record))) {
      if (typeof target === 'string' && target !== '') return target
    }
    return undefined
  }

  return async (record: RecordData, key: string, path: string) => {
    const download_target = await targetOf(record)
    if (download_target === undefined) {
      env.ctx.log('warn', `${env.stream}: a record names no file to download.`)
      return undefined
    }
    const slice = { partition: {}, interval: {}, extra: { download_target } }
    const answer = await requester.send({ slice, token: null, parts: [], streams: true })
    if (!answer?.ok) {
      await answer?.close()
      env.ctx.log('warn', `${env.stream}: the file ${path} cannot be had.`)
      return undefined
    }
    try {
      const { size } = await store.putStream(key, answer.chunks())
      return { staging_file_url: key, source_file_relative_path: path, file_size_bytes: size }
    } finally {
      await answer.close()
    }
  }
}

/** By the manifest's template, or a name that is the same for the same record each time. */
function fileNames(component: Component, { env, primaryKey }: Stream) {
  const source = component.optionalText('filename_extractor')
  const named = source && textTemplate(source, { env, parameters: component.parameters })
  return (record: RecordData): string => {
    const given = named ? plainPath(named({ record })) : ''
    if (given !== '') return given
    const key = primaryKey.flatMap(([field]) => (field && field in record ? [record[field]] : []))
    const identity = dumps(key.length > 0 ? key : record, { sortKeys: true })
    return createHash('sha256').update(identity).digest('hex').slice(0, 32)
  }
}

/** Below its folder, whatever dots and slashes it has. */
const plainPath = (path: string) =>
  path
    .split(/[/\\]/)
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .join('/')
