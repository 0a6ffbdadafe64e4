import { type CustomComponents, custom } from '../../../src/runtime/declarative/custom/index.ts'

/**
 * Labels as records: the API lists them as bare texts, which no extractor of the language makes
 * records of. Under the name that Airbyte's own manifest has for this.
 */
export const components: CustomComponents = {
  'source_jira.components.LabelsRecordExtractor': custom(
    'recordExtractor',
    () =>
      ({ json }) =>
        ((json ?? {}) as { values?: string[] }).values?.map((label) => ({ label })) ?? [],
  ),
}
