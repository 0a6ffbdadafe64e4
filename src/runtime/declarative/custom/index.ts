/**
 * The contract of custom components: what a connector's `components.ts` is written with.
 *
 * A class gets its node of the manifest and the environment of its stream, and makes the part that
 * the engine uses in place of its own. It reaches the network through `env.ctx` only. What a class in
 * Python inherits it builds from the same node under the type of its parent, `component.as(…)`.
 *
 * @see docs/declarative.md
 */
export { buildAuthenticator } from '../auth/index.ts'
export { type Authenticator, header } from '../auth/types.ts'
export { Component } from '../component.ts'
export { buildDecoder, type Decoder } from '../decoders/index.ts'
export { type Environment, type Slice, sliceScope, WHOLE_STREAM } from '../environment.ts'
export { type Backoff, buildBackoff } from '../errors/backoff.ts'
export { buildErrorHandler, DEFAULT_HANDLER, type ErrorHandler } from '../errors/handler.ts'
export { defaultResolution, type Outcome, type Resolution, SUCCESS } from '../errors/resolution.ts'
export { condition, template, textTemplate } from '../interpolation.ts'
export { buildStrategy, type Page, type PaginationStrategy } from '../paginator/strategies.ts'
export { buildRouter, type PartitionRouter } from '../partition/index.ts'
export type { Partition } from '../partition/types.ts'
export { isMapping } from '../python/mappings.ts'
export { str } from '../python/text.ts'
export type { Value } from '../python/values.ts'
export { buildExtractor, type Extractor } from '../records/extractor.ts'
export { buildTransformation, type Transformation } from '../records/transformations.ts'
export type { RecordData } from '../records/types.ts'
export { Answer } from '../requester/answer.ts'
export { buildRequester, type PageRequest, type Requester } from '../requester/http-requester.ts'
export type { RequestOptions } from '../requester/options.ts'
export type { Retriever } from '../stream/retriever.ts'
export type { CustomContexts, CustomFamily, CustomParts } from './families.ts'
export { type CustomBuilder, type CustomComponents, custom } from './register.ts'
