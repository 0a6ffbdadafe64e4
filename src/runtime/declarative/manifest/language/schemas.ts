import { recordFilter, retriever, transformation } from './families.ts'
import { type ComponentTypes, either, list, map, needed, of, text } from './kinds.ts'

const names = list(text)

export const SCHEMAS: ComponentTypes = {
  InlineSchemaLoader: { schema: map },
  JsonFileSchemaLoader: { file_path: text },
  DynamicSchemaLoader: {
    retriever: needed(retriever),
    schema_type_identifier: needed(of('SchemaTypeIdentifier')),
    schema_filter: recordFilter,
    schema_transformations: list(transformation),
  },
  SchemaTypeIdentifier: {
    key_pointer: needed(names),
    schema_pointer: names,
    type_pointer: names,
    types_mapping: list(of('TypesMap')),
  },
  TypesMap: {
    target_type: needed(either(text, names, of('ComplexFieldType'))),
    current_type: needed(either(text, names)),
    condition: text,
  },
  ComplexFieldType: { field_type: needed(text), items: either(text, of('ComplexFieldType')) },
}
