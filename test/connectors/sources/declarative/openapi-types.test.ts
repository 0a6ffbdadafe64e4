import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openApiTypes } from './openapi-types.ts'

const TYPES = `
/** Made up, in the form that openapi-typescript writes. */
export interface paths {
  "/shops/{shop}/orders": {
    /** List orders; { braces } in comments do not count. */
    get: operations["orders/list"];
  };
  "/search": { post: operations["search"] };
}
export interface components {
  schemas: {
    order: {
      id: number | bigint;
      /** Format: date-time */
      placed?: string | null;
      "state": "open" | "closed";
      customer: components["schemas"]["person"] & { readonly vip?: boolean };
      labels: OneOf<[string, { name: string }]>[];
      extra?: Record<string, unknown>;
      links: { [key: string]: string };
      parent: components["schemas"]["order"] | null;
    };
    person: { name: string | null };
  };
}
export interface operations {
  "orders/list": {
    parameters: { query?: { page?: number; since?: string }; path: { shop: string } };
    responses: {
      200: { content: { "application/json": { orders: components["schemas"]["order"][]; }; }; };
      404: { content: { "application/json": components["schemas"]["person"] } };
    };
  };
  search: {
    requestBody?: { content: { "application/json": { text: string } } };
    responses: { 201: { content: { "application/json": [string, number] } } };
  };
}
`

const file = join(mkdtempSync(join(tmpdir(), 'types-')), 'types.d.ts')
writeFileSync(file, TYPES)
const document = openApiTypes(file)
const LIST = 'GET /shops/{shop}/orders'

describe("a vendor's document in the form of types", () => {
  it('knows operations, whatever their open parts are called, and their parameters', () => {
    const operation = document.operation('GET', '/shops/{id}/orders')
    expect(operation?.query).toEqual(new Set(['page', 'since']))
    expect(document.operation('POST', '/search')?.body).toEqual(new Set(['text']))
    expect(document.operation('POST', '/shops/{id}/orders')).toBeUndefined()
    expect(document.operation('GET', '/nothing')).toBeUndefined()
  })

  it('makes full rows and bare ones that fit its schemas', () => {
    const [full, bare] = [0, 1].map((n) => document.sample(LIST, n, ['orders']))
    expect(full).toEqual({
      ...{ id: 1000, placed: '2026-01-01T00:00:00Z', state: 'open' },
      ...{ customer: { name: 'name 0', vip: true }, labels: ['labels 0'] },
      ...{ extra: {}, links: {}, parent: null },
    })
    expect(bare).toEqual({
      ...{ id: 1001, state: 'open', customer: { name: null } },
      ...{ labels: [], links: {}, parent: null },
    })
    expect(
      document.operation('GET', '/shops/{shop}/orders')?.problems({ orders: [full, bare] }),
    ).toEqual([])
    expect(document.sample(LIST, 4, ['orders'])).toEqual(document.sample(LIST, 4, ['orders']))
  })

  it('says where an answer departs from its schema', () => {
    const row = document.sample(LIST, 0, ['orders'])
    const wrong = {
      ...{ ...row, id: 'one', state: 'lost', placed: 3, customer: {} },
      ...{ labels: [{ name: 1 }], links: { a: 1 }, more: true },
    }
    expect(
      document.operation('GET', '/shops/{shop}/orders')?.problems({ orders: [wrong] }),
    ).toEqual([
      'orders[].id is not a number',
      'orders[].placed is not a string',
      'orders[].state is not "open"',
      'orders[].customer.name is missing',
      'orders[].labels[] is not a string',
      'orders[].links.a is not a string',
      'orders[].more is not known',
    ])
    expect(document.operation('POST', '/search')?.problems(['a', 1])).toEqual([])
    expect(document.operation('GET', '/shops/{shop}/orders')?.problems([])).toEqual([
      ' is not an object',
    ])
  })

  it('names the line that it cannot read, and what is not there', () => {
    writeFileSync(file, 'export interface paths {\n  "/a" get: string;\n}')
    expect(() => openApiTypes(file)).toThrow("':' is expected in line 2, not 'get'")
    expect(() => document.sample('GET /nothing', 0)).toThrow('has no GET /nothing')
  })
})
