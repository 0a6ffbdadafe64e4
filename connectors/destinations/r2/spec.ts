import { AirbyteError, type JsonObject } from '../../../src/protocol/index.ts'
import type { Spec } from '../../../src/runtime/contract.ts'
import type { FileFormat } from './document.ts'

export const SPEC: Spec = {
  supported_destination_sync_modes: ['append', 'overwrite', 'append_dedup', 'overwrite_dedup'],
  connectionSpecification: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Built-in warehouse',
    type: 'object',
    additionalProperties: false,
    required: [],
    properties: {
      format: {
        title: 'File format',
        description: 'Form of the files that a sync writes. Files already there keep theirs.',
        type: 'object',
        order: 0,
        default: { format_type: 'Parquet' },
        oneOf: [
          formatSchema(
            'Parquet',
            'Parquet: Columnar Storage',
            'Typed columns, Snappy compression.',
          ),
          formatSchema('JSONL', 'JSON Lines: one object a line', 'Compressed with gzip.'),
          formatSchema(
            'CSV',
            'CSV: Comma-Separated Values',
            'RFC 4180; null is empty, text is "".',
          ),
        ],
      },
      path_prefix: {
        title: 'Path prefix',
        description: 'Folder in the bucket under which namespaces and streams are written.',
        type: 'string',
        order: 1,
        examples: ['raw', 'team/raw'],
      },
    },
  },
}

function formatSchema(format: FileFormat, title: string, description: string) {
  return {
    title,
    description,
    type: 'object',
    required: ['format_type'],
    properties: { format_type: { type: 'string', const: format, default: format } },
  }
}

export interface Config {
  format: FileFormat
  pathPrefix: string
}

const FORMATS: FileFormat[] = ['Parquet', 'JSONL', 'CSV']

/** The config with its defaults; throws VALIDATION_FAILED naming the field. */
export function parseConfig(config: JsonObject): Config {
  const { format_type = 'Parquet' } = (config.format ?? {}) as JsonObject
  const format = FORMATS.find((name) => name === format_type)
  if (!format) {
    throw new AirbyteError(
      'VALIDATION_FAILED',
      `There is no file format ${JSON.stringify(format_type)}.`,
      {
        field: 'config.format.format_type',
        didYouMean: FORMATS,
      },
    )
  }
  const { path_prefix = '' } = config
  if (typeof path_prefix !== 'string') {
    throw new AirbyteError('VALIDATION_FAILED', 'The path prefix is not text.', {
      field: 'config.path_prefix',
    })
  }
  return { format, pathPrefix: path_prefix }
}
