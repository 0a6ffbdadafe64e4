import { describe, expect, it } from 'vitest'
import { type JsonObject, toAirbyteError } from '../../../src/protocol/index.ts'
import type { Component } from '../../../src/runtime/declarative/component.ts'
import { loadManifest } from '../../../src/runtime/declarative/manifest/load.ts'
import { openSource } from '../../../src/runtime/declarative/open.ts'
import { openStream } from '../../../src/runtime/declarative/stream/delegate.ts'
import { readPagesNow } from '../../../src/runtime/declarative/stream/read-pages.ts'
import { fromAirbyteState } from '../../../src/runtime/declarative/stream/state.ts'
import {
  CHANGES,
  type Change,
  type ChangeName,
  NEWEST,
} from '../../../src/runtime/declarative/versions/changes.ts'
import { languageOf } from '../../../src/runtime/declarative/versions/language.ts'
import { testContext } from '../../conformance/context.ts'
import { cases, goldens, manifestOf } from './oracle.ts'

const refusal = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    return toAirbyteError(error)
  }
  throw new Error('nothing was refused')
}

const versioned = (version: string, stream: JsonObject = {}): JsonObject => ({
  ...manifestOf({ name: '', stream }),
  version,
})

function streamOf(root: Component): Component {
  const [component] = root.children('streams')
  if (!component) throw new Error('no stream')
  return component
}

const CHANGE_NAMES = Object.keys(CHANGES) as ChangeName[]
const change = (name: ChangeName): Change => CHANGES[name]

describe('the language of a manifest', () => {
  it('has the old meaning before the version of a change, and the new one from it on', () => {
    expect(languageOf('6.33.7').was('streamState')).toBe(true)
    expect(languageOf('6.34.0').was('streamState')).toBe(false)
    expect(languageOf('6.9.0').was('streamState')).toBe(true)
    expect(languageOf('6.16.9').was('firstTokenZero')).toBe(false)
    expect(languageOf('6.17.0').was('firstTokenZero')).toBe(true)
    expect(languageOf('7.28.4.dev1').was('nullIsTrue')).toBe(false)
    expect(languageOf('7.28').was('nullIsTrue')).toBe(true)
  })

  it('is that of the image where the image is newer', () => {
    expect(languageOf('0.51.2', '6.40.0').was('streamState')).toBe(false)
    expect(languageOf('0.51.2', '6.40.0').was('nullIsTrue')).toBe(true)
    expect(languageOf('7.0.0', '6.26.1').version).toBe('7.0.0')
    expect(languageOf('0.51.2', 'latest').version).toBe('0.51.2')
  })

  it('is the newest for a version that only the newest CDKs ran', () => {
    expect(languageOf('0.1.0').was('nullIsTrue')).toBe(false)
  })

  it('is refused when it is missing or no version', () => {
    const { version: _, ...without } = versioned('')
    for (const manifest of [without, versioned('seven'), versioned('7')]) {
      const error = refusal(() => loadManifest(manifest))
      expect(error).toMatchObject({ code: 'VALIDATION_FAILED', field: 'manifest.version' })
    }
  })

  it('runs with a warning when it is newer than the newest known', () => {
    const ctx = testContext()
    openSource(loadManifest(versioned('8.0.0')), ctx, {})
    expect(ctx.lines).toEqual([
      `warn The manifest is of version 8.0.0; the newest known is ${NEWEST}.`,
    ])
    const quiet = testContext()
    openSource(loadManifest(versioned(NEWEST)), quiet, {})
    expect(quiet.lines).toEqual([])
  })
})

describe('the list of changes', () => {
  it('is in the order of the versions', () => {
    const order = CHANGE_NAMES.map((name) => change(name).until)
    const sorted = order.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    expect(order).toEqual(sorted)
  })

  it('says why where an older manifest does not get its own meaning', () => {
    for (const name of CHANGE_NAMES) {
      const { here, because } = change(name)
      const hasOwn = here === 'kept' || here === 'rewritten'
      expect({ name, because: because !== undefined }).toEqual({ name, because: !hasOwn })
    }
  })

  it('is compared with an older CDK, of a version in which the old meaning held', () => {
    const compared = cases().filter(({ change: name }) => name)
    const all = goldens()
    for (const { name, change: of, cdk = '', differs } of compared) {
      expect({ name, was: languageOf(cdk).was(of as ChangeName) }).toEqual({ name, was: true })
      expect(all[name]?.cdk).toBe(cdk)
      const { here, because } = change(of as ChangeName)
      expect({ name, differs }).toEqual({ name, differs: here === 'newest' ? because : undefined })
    }
    const missing = CHANGE_NAMES.filter((name) => !compared.some(({ change: of }) => of === name))
    expect(missing).toEqual(NOT_COMPARED)
  })

  /** What is refused gives nothing to compare; the others have a test below. */
  const NOT_COMPARED: ChangeName[] = [
    ...(['stableLanguage', 'legacySessionToken', 'nowLocal', 'customIncrementalSync'] as const),
  ]
})

describe('an older manifest', () => {
  it.each([
    [{ $options: { name: 'x' } }, 'streams[0].$options', '$parameters'],
    [
      { retriever: { stream_slicer: {} } },
      'streams[0].retriever.stream_slicer',
      'partition_router',
    ],
    [{ retriever: '*ref(definitions.retriever)' }, 'streams[0].retriever', '$ref'],
    [{ slicer: { type: 'DatetimeStreamSlicer' } }, 'streams[0].slicer', 'DatetimeBasedCursor'],
  ])('of before the beta is refused by its node: %j', (stream, field, instead) => {
    const error = refusal(() => loadManifest(versioned('0.20.0', stream as JsonObject)))
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED', field })
    expect(error.hint).toContain(instead)
  })

  it.each([
    [{ type: 'CompositeRawDecoder' }, 'parser'],
    [{ type: 'CompositeRawDecoder', parser: { type: 'XmlParser' } }, 'parser'],
    [{ type: 'CompositeRawDecoder', parser: 'JsonParser' }, 'parser'],
    [{ type: 'ZipfileDecoder', parser: [] }, 'parser'],
  ])('that names no parser is refused by its node: %j', (decoder, field) => {
    const error = refusal(() => loadManifest(versioned('6.26.1', { retriever: { decoder } })))
    expect(error).toMatchObject({
      ...{ code: 'VALIDATION_FAILED', field: `streams[0].retriever.decoder.${field}` },
    })
  })

  it('that calls now_local() is refused by the name', async () => {
    const requester = { request_headers: { 'X-Test': '{{ now_local() }}' } }
    const root = loadManifest(versioned('0.35.0', { retriever: { requester } }))
    const env = { ...openSource(root, testContext(), {}), stream: 'items' }
    const { stream, saved } = openStream(streamOf(root), env, fromAirbyteState({}))
    const error = await readPagesNow(stream, saved).next().then(undefined, toAirbyteError)
    expect(error).toMatchObject({ code: 'TEMPLATE_FAILED' })
    expect(error).toMatchObject({ message: expect.stringContaining('now_local') })
  })

  it('that names a parser with another encoding is refused by its node', () => {
    const decoder = {
      type: 'CompositeRawDecoder',
      parser: { type: 'JsonParser', encoding: 'cp1252' },
    }
    const error = refusal(() => loadManifest(versioned('6.26.1', { retriever: { decoder } })))
    expect(error.field).toBe('streams[0].retriever.decoder.parser.encoding')
  })

  it('that has a session of its own has it under the present name', () => {
    const authenticator = {
      ...{ type: 'SessionTokenAuthenticator', login_url: '/login', header: 'X' },
      ...{ session_token_response_key: 'id', validate_session_url: '/me' },
    }
    const stream = { retriever: { requester: { authenticator } } }
    const typeIn = (version: string) =>
      loadManifest(versioned(version, stream))
        .children('streams')[0]
        ?.child('retriever')
        .child('requester')
        .child('authenticator').type
    expect(typeIn('0.34.0')).toBe('LegacySessionTokenAuthenticator')
    expect(() => typeIn('0.35.0')).toThrow(/authenticator.login_requester: .* needs this field/)
  })

  it('that names the targets of an asynchronous download has them under the present names', () => {
    const requester = { type: 'HttpRequester', url_base: 'https://api.test' }
    const extractor = { type: 'DpathExtractor', field_path: ['urls'] }
    const retriever = {
      ...{ type: 'AsyncRetriever', urls_extractor: extractor, url_requester: requester },
      ...{ creation_requester: requester, polling_requester: requester },
      ...{ download_requester: requester, status_extractor: extractor },
      status_mapping: { running: [], completed: [], failed: [], timeout: [] },
    }
    const fieldsIn = (version: string) =>
      Object.keys(
        loadManifest(versioned(version, { retriever })).children('streams')[0]?.child('retriever')
          .fields ?? {},
      )
    expect(fieldsIn('6.26.1')).toContain('download_target_extractor')
    expect(fieldsIn('6.26.1')).toContain('download_target_requester')
    expect(fieldsIn('6.36.3')).toContain('urls_extractor')
  })

  it('is not read in the words of an older language when it is newer: the node is named', async () => {
    const requester = { request_headers: { 'X-Test': "{{ stream_state['x'] }}" } }
    const root = loadManifest(versioned(NEWEST, { retriever: { requester } }))
    const env = { ...openSource(root, testContext(), {}), stream: 'items' }
    const { stream, saved } = openStream(streamOf(root), env, fromAirbyteState({}))
    const error = await readPagesNow(stream, saved).next().then(undefined, toAirbyteError)
    expect(error).toMatchObject({
      code: 'TEMPLATE_INVALID',
      field: 'streams[0].retriever.requester.request_headers.X-Test',
      hint: expect.stringContaining('stream_interval'),
    })
  })
})
