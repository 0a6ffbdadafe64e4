import {
  type CustomComponents,
  custom,
  type RecordData,
} from '../../../src/runtime/declarative/custom/index.ts'

interface Listed {
  results?: { id: string; propertiesWithHistory?: Record<string, RecordData[]> }[]
}

/**
 * What properties were before, a record for each value. The API has the values below the name of their
 * property, which no extractor of the language keeps. `id_field` is what the object's id is called.
 */
export const components: CustomComponents = {
  'source_hubspot.components.PropertyHistories': custom('recordExtractor', (component) => {
    const idField = component.text('id_field')
    return ({ json }) =>
      (((json ?? {}) as Listed).results ?? []).flatMap(({ id, propertiesWithHistory = {} }) =>
        Object.entries(propertiesWithHistory).flatMap(([property, values]) =>
          values.map((value) => ({ [idField]: id, property, ...value })),
        ),
      )
  }),
}
