/** Component types that stand in each other's place. */
import { of } from './kinds.ts'

export const requester = of('HttpRequester', 'CustomRequester')
export const pagedRetriever = of('SimpleRetriever', 'CustomRetriever')
export const retriever = of('SimpleRetriever', 'AsyncRetriever', 'CustomRetriever')
export const extractor = of('DpathExtractor', 'CombinedExtractor', 'CustomRecordExtractor')
export const paginator = of('DefaultPaginator', 'NoPagination')
export const requestOption = of('RequestOption')
export const recordFilter = of('RecordFilter', 'CustomRecordFilter')

export const transformation = of(
  'AddFields',
  'RemoveFields',
  'KeysToLower',
  'KeysToSnakeCase',
  'FlattenFields',
  'DpathFlattenFields',
  'KeysReplace',
  'CustomTransformation',
)

export const configTransformation = of(
  'ConfigRemapField',
  'ConfigAddFields',
  'ConfigRemoveFields',
  'CustomConfigTransformation',
)

export const authenticator = of(
  'NoAuth',
  'ApiKeyAuthenticator',
  'BasicHttpAuthenticator',
  'BearerAuthenticator',
  'OAuthAuthenticator',
  'JwtAuthenticator',
  'SessionTokenAuthenticator',
  'LegacySessionTokenAuthenticator',
  'RateLimitedMultipleTokenAuthenticator',
  'SelectiveAuthenticator',
  'CustomAuthenticator',
)

const packable = ['CsvDecoder', 'GzipDecoder', 'JsonDecoder', 'JsonItemsDecoder', 'JsonlDecoder']
/** What a file that is packed may hold. */
export const packedDecoder = of(...packable)
export const decoder = of(
  ...packable,
  'IterableDecoder',
  'XmlDecoder',
  'ZipfileDecoder',
  'CustomDecoder',
)

const leafRouters = ['ListPartitionRouter', 'SubstreamPartitionRouter', 'CustomPartitionRouter']
export const simpleRouter = of(...leafRouters, 'UnionPartitionRouter')
export const router = of(...leafRouters, 'UnionPartitionRouter', 'GroupingPartitionRouter')

export const schemaLoader = of(
  'InlineSchemaLoader',
  'DynamicSchemaLoader',
  'JsonFileSchemaLoader',
  'CustomSchemaLoader',
)
