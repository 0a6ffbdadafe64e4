// Written by `npm run generate` from the folders beside it.
import type { Destination, Source } from '../src/runtime/contract.ts'
import { manifestSource } from '../src/runtime/declarative/index.ts'
import devNullDestination from './destinations/dev-null/index.ts'
import mysqlDestination from './destinations/mysql/index.ts'
import postgresDestination from './destinations/postgres/index.ts'
import r2Destination from './destinations/r2/index.ts'
import githubManifest from './sources/github/manifest.yaml'
import githubMetadata from './sources/github/metadata.yaml'
import gitlabManifest from './sources/gitlab/manifest.yaml'
import gitlabMetadata from './sources/gitlab/metadata.yaml'
import { components as googleSheetsComponents } from './sources/google-sheets/components.ts'
import googleSheetsManifest from './sources/google-sheets/manifest.yaml'
import googleSheetsMetadata from './sources/google-sheets/metadata.yaml'
import hackerNewsManifest from './sources/hacker-news/manifest.yaml'
import hackerNewsMetadata from './sources/hacker-news/metadata.yaml'
import { components as hubspotComponents } from './sources/hubspot/components.ts'
import hubspotManifest from './sources/hubspot/manifest.yaml'
import hubspotMetadata from './sources/hubspot/metadata.yaml'
import { components as jiraComponents } from './sources/jira/components.ts'
import jiraManifest from './sources/jira/manifest.yaml'
import jiraMetadata from './sources/jira/metadata.yaml'
import linearManifest from './sources/linear/manifest.yaml'
import linearMetadata from './sources/linear/metadata.yaml'
import mysqlSource from './sources/mysql/index.ts'
import notionManifest from './sources/notion/manifest.yaml'
import notionMetadata from './sources/notion/metadata.yaml'
import pokeapiManifest from './sources/pokeapi/manifest.yaml'
import pokeapiMetadata from './sources/pokeapi/metadata.yaml'
import postgresSource from './sources/postgres/index.ts'
import salesforceManifest from './sources/salesforce/manifest.yaml'
import salesforceMetadata from './sources/salesforce/metadata.yaml'
import sampleDataSource from './sources/sample-data/index.ts'
import shopifyManifest from './sources/shopify/manifest.yaml'
import shopifyMetadata from './sources/shopify/metadata.yaml'
import slackManifest from './sources/slack/manifest.yaml'
import slackMetadata from './sources/slack/metadata.yaml'
import stripeManifest from './sources/stripe/manifest.yaml'
import stripeMetadata from './sources/stripe/metadata.yaml'
import zendeskSupportManifest from './sources/zendesk-support/manifest.yaml'
import zendeskSupportMetadata from './sources/zendesk-support/metadata.yaml'

/** Every source. A manifest is parsed when it is first used. */
export const sources: Source[] = [
  mysqlSource,
  postgresSource,
  sampleDataSource,
  manifestSource(
    githubManifest,
    {
      name: 'github',
      title: 'GitHub',
      definitionId: 'ef69ef6e-aa7f-4af1-a01d-ef775033524e',
      version: '1.0.0',
      evidence: 'openapi',
      documentationUrl: 'https://docs.github.com/rest',
    },
    githubMetadata,
  ),
  manifestSource(
    gitlabManifest,
    {
      name: 'gitlab',
      title: 'GitLab',
      definitionId: '5e6175e5-68e1-4c17-bff9-56103bbb0d80',
      version: '1.0.0',
      evidence: 'docs',
      documentationUrl: 'https://docs.gitlab.com/api/rest/',
    },
    gitlabMetadata,
  ),
  manifestSource(
    googleSheetsManifest,
    {
      name: 'google-sheets',
      title: 'Google Sheets',
      definitionId: '71607ba1-c0ac-4799-8049-7f4b90dd50f7',
      version: '1.0.0',
      evidence: 'openapi',
      documentationUrl: 'https://developers.google.com/workspace/sheets/api/guides/concepts',
    },
    googleSheetsMetadata,
    googleSheetsComponents,
  ),
  manifestSource(
    hackerNewsManifest,
    {
      name: 'hacker-news',
      title: 'Hacker News',
      definitionId: '6f1d2c2e-0b0c-4d0a-9a57-3a1f5f0c7e11',
      version: '1.0.0',
      evidence: 'docs',
      documentationUrl: 'https://github.com/HackerNews/API',
    },
    hackerNewsMetadata,
  ),
  manifestSource(
    hubspotManifest,
    {
      name: 'hubspot',
      title: 'HubSpot',
      definitionId: '36c891d9-4bd9-43ac-bad2-10e12756272c',
      version: '1.0.0',
      evidence: 'docs',
      documentationUrl: 'https://developers.hubspot.com/docs/api-reference',
    },
    hubspotMetadata,
    hubspotComponents,
  ),
  manifestSource(
    jiraManifest,
    {
      name: 'jira',
      title: 'Jira',
      definitionId: '68e63de2-bb83-4c7e-93fa-a8a9051e3993',
      version: '1.0.0',
      evidence: 'docs',
      documentationUrl: 'https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/',
    },
    jiraMetadata,
    jiraComponents,
  ),
  manifestSource(
    linearManifest,
    {
      name: 'linear',
      title: 'Linear',
      definitionId: '1c5d8316-ed42-4473-8fbc-2626f03f070c',
      version: '1.0.0',
      evidence: 'openapi',
      documentationUrl: 'https://linear.app/developers/graphql',
    },
    linearMetadata,
  ),
  manifestSource(
    notionManifest,
    {
      name: 'notion',
      title: 'Notion',
      definitionId: '6e00b415-b02e-4160-bf02-58176a0ae687',
      version: '1.0.0',
      evidence: 'openapi',
      documentationUrl: 'https://developers.notion.com/reference/intro',
    },
    notionMetadata,
  ),
  manifestSource(
    pokeapiManifest,
    {
      name: 'pokeapi',
      title: 'PokeAPI',
      definitionId: '6371b14b-bc68-4236-bfbd-468e8df8e968',
      version: '1.0.0',
      evidence: 'docs',
      documentationUrl: 'https://pokeapi.co/docs/v2',
    },
    pokeapiMetadata,
  ),
  manifestSource(
    salesforceManifest,
    {
      name: 'salesforce',
      title: 'Salesforce',
      definitionId: 'b117307c-14b6-41aa-9422-947e34922962',
      version: '1.0.0',
      evidence: 'docs',
      documentationUrl: 'https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest',
    },
    salesforceMetadata,
  ),
  manifestSource(
    shopifyManifest,
    {
      name: 'shopify',
      title: 'Shopify',
      definitionId: '9da77001-af33-4bcd-be46-6252bf9342b9',
      version: '1.0.0',
      evidence: 'docs',
      documentationUrl: 'https://shopify.dev/docs/api/admin-rest',
    },
    shopifyMetadata,
  ),
  manifestSource(
    slackManifest,
    {
      name: 'slack',
      title: 'Slack',
      definitionId: 'c2281cee-86f9-4a86-bb48-d23286b4c7bd',
      version: '1.0.0',
      evidence: 'docs',
      documentationUrl: 'https://docs.slack.dev/reference/methods',
    },
    slackMetadata,
  ),
  manifestSource(
    stripeManifest,
    {
      name: 'stripe',
      title: 'Stripe',
      definitionId: 'e094cb9a-26de-4645-8761-65c0c425d1de',
      version: '1.0.0',
      evidence: 'docs',
      documentationUrl: 'https://docs.stripe.com/api',
    },
    stripeMetadata,
  ),
  manifestSource(
    zendeskSupportManifest,
    {
      name: 'zendesk-support',
      title: 'Zendesk Support',
      definitionId: '79c1aa37-dae3-42ae-b333-d1c105477715',
      version: '1.1.0',
      evidence: 'docs',
      documentationUrl: 'https://developer.zendesk.com/api-reference/',
    },
    zendeskSupportMetadata,
  ),
]

/** Every destination. */
export const destinations: Destination[] = [
  devNullDestination,
  mysqlDestination,
  postgresDestination,
  r2Destination,
]
