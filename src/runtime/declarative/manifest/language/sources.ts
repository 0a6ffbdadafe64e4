import { configTransformation } from './families.ts'
import {
  anything,
  type ComponentTypes,
  choice,
  either,
  flag,
  list,
  map,
  mapOf,
  needed,
  of,
  text,
  typed,
  whole,
  word,
} from './kinds.ts'

const names = list(text)
const validation = of('ValidateAdheresToSchema', 'CustomValidationStrategy')

export const SOURCES: ComponentTypes = {
  DeclarativeSource: {
    version: word,
    check: needed(of('CheckStream', 'CheckDynamicStream')),
    streams: list(of('DeclarativeStream', 'ConditionalStreams', 'StateDelegatingStream')),
    dynamic_streams: list(of('DynamicDeclarativeStream')),
    spec: of('Spec'),
    schemas: map,
    concurrency_level: of('ConcurrencyLevel'),
    api_budget: of('HTTPAPIBudget'),
    stream_groups: mapOf(of('StreamGroup')),
    max_concurrent_async_job_count: either(whole, text),
    metadata: map,
    description: word,
  },
  CheckStream: {
    stream_names: names,
    dynamic_streams_check_configs: list(of('DynamicStreamCheckConfig')),
    config_overrides: map,
  },
  DynamicStreamCheckConfig: { dynamic_stream_name: needed(text), stream_count: whole },
  CheckDynamicStream: {
    stream_count: needed(whole),
    use_check_availability: flag,
    config_overrides: map,
  },
  ConcurrencyLevel: {
    default_concurrency: needed(either(whole, text)),
    max_concurrency: whole,
  },
  StreamGroup: {
    streams: needed(list(of('DeclarativeStream'))),
    action: needed(typed(of('BlockSimultaneousSyncsAction'))),
  },
  BlockSimultaneousSyncsAction: {},

  Spec: {
    connection_specification: needed(map),
    documentation_url: word,
    advanced_auth: of('AuthFlow'),
    config_normalization_rules: of('ConfigNormalizationRules'),
  },
  AuthFlow: {
    auth_flow_type: choice('oauth2.0', 'oauth1.0'),
    predicate_key: names,
    predicate_value: word,
    oauth_config_specification: of('OAuthConfigSpecification'),
  },
  OAuthConfigSpecification: {
    oauth_user_input_from_connector_config_specification: map,
    oauth_connector_input_specification: of('OAuthConnectorInput'),
    complete_oauth_output_specification: map,
    complete_oauth_server_input_specification: map,
    complete_oauth_server_output_specification: map,
  },
  OAuthConnectorInput: {
    consent_url: needed(text),
    access_token_url: needed(text),
    scope: text,
    scopes: list(map),
    optional_scopes: list(map),
    scopes_join_strategy: choice('space', 'comma', 'plus'),
    access_token_headers: map,
    access_token_params: map,
    extract_output: names,
    state: map,
    client_id_key: text,
    client_secret_key: text,
    scope_key: text,
    state_key: text,
    auth_code_key: text,
    redirect_uri_key: text,
  },

  ConfigNormalizationRules: {
    config_migrations: list(of('ConfigMigration')),
    transformations: list(configTransformation),
    validations: list(of('DpathValidator', 'PredicateValidator')),
  },
  ConfigMigration: { description: word, transformations: needed(list(configTransformation)) },
  ConfigRemapField: { map: needed(either(map, text)), field_path: needed(names) },
  ConfigAddFields: { fields: needed(list(of('AddedFieldDefinition'))), condition: text },
  ConfigRemoveFields: { field_pointers: needed(list(names)), condition: text },
  DpathValidator: { field_path: needed(names), validation_strategy: needed(validation) },
  PredicateValidator: { value: needed(anything), validation_strategy: needed(validation) },
  ValidateAdheresToSchema: { base_schema: needed(either(map, text)) },
}
