import { extractor, packedDecoder, pagedRetriever, recordFilter } from './families.ts'
import { type ComponentTypes, choice, either, flag, list, needed, of, text } from './kinds.ts'

const names = list(text)

export const RECORDS: ComponentTypes = {
  RecordSelector: {
    extractor: needed(extractor),
    record_filter: recordFilter,
    schema_normalization: either(choice('Default', 'None'), of('CustomSchemaNormalization')),
    transform_before_filtering: flag,
  },
  RecordFilter: { condition: text },
  DpathExtractor: { field_path: needed(names), record_expander: of('RecordExpander') },
  CombinedExtractor: {
    extractors: needed(list(extractor, 1)),
    mode: choice('union', 'first_match'),
    skip_empty_records: flag,
  },
  ResponseToFileExtractor: { preserve_na_values: flag },
  RecordExpander: {
    expand_records_from_field: needed(names),
    remain_original_record: flag,
    parent_fields: list(of('ParentFieldPath')),
    merge_parent: flag,
    on_no_records: choice('skip', 'emit_parent'),
    truncation_indicator_path: names,
    truncated_list_retriever: pagedRetriever,
  },
  ParentFieldPath: { parent_path: needed(names), record_path: needed(names) },

  AddFields: { fields: needed(list(of('AddedFieldDefinition'))), condition: text },
  AddedFieldDefinition: {
    path: needed(names),
    value: needed(text),
    value_type: choice('string', 'number', 'integer', 'boolean'),
  },
  RemoveFields: { field_pointers: needed(list(names)), condition: text },
  KeysToLower: {},
  KeysToSnakeCase: {},
  KeysReplace: { old: needed(text), new: needed(text) },
  FlattenFields: { flatten_lists: flag },
  DpathFlattenFields: {
    field_path: needed(names),
    delete_origin_value: flag,
    replace_record: flag,
    key_transformation: of('KeyTransformation'),
  },
  KeyTransformation: { prefix: text, suffix: text },

  JsonDecoder: {},
  JsonlDecoder: {},
  IterableDecoder: {},
  XmlDecoder: {},
  JsonItemsDecoder: { items_path: needed(text), encoding: text },
  CsvDecoder: { encoding: text, delimiter: text, set_values_to_none: names },
  GzipDecoder: { decoder: needed(packedDecoder) },
  ZipfileDecoder: { decoder: needed(packedDecoder) },
}
