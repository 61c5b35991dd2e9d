import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from '@jest/globals';
import Fastify from 'fastify';
import { kindCatalogue } from '../../src/activities/kinds';
import { restRoutes, type RestContext } from '../../src/gateway/api';
import { openApiDocument } from '../../src/gateway/openapi';
import { addRoutes } from '../../src/gateway/route';
import type { OpenApi } from '../support/openapi-judge';

/** Nothing is asked of it while routes are declared. */
const context = { kinds: kindCatalogue } as unknown as RestContext;
const routes = restRoutes(context);
const document = JSON.parse(JSON.stringify(openApiDocument(routes))) as OpenApi;
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    method,
    path,
    operation: new Map<string, unknown>(Object.entries(operation)),
  })),
);

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    expect(document.openapi).toBe('3.1.0');
    expect(await new Validator().validate(structuredClone(document) as never)).toEqual({ valid: true });
  });

  it('tells of every route that is registered, and of no other', async () => {
    const registered: string[] = [];
    const app = Fastify({ exposeHeadRoutes: false });
    app.addHook('onRoute', ({ method, url }) => {
      registered.push(`${String(method).toLowerCase()} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
    });
    addRoutes(app, routes);
    await app.ready();
    await app.close();
    expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(registered.sort());
    expect(registered).toContain('get /api/openapi.json');
    expect(registered.length).toBeGreaterThan(45);
  });

  it('names each operation once, says what it does, whom it is for and with what it refuses', () => {
    expect(new Set(operations.map(({ operation }) => operation.get('operationId'))).size).toBe(operations.length);
    for (const { path, operation } of operations) {
      expect([path, String(operation.get('summary')).length > 5]).toEqual([path, true]);
      const isOpen = !path.startsWith('/api/');
      expect([path, operation.get('security') ?? 'a token', operation.get('x-role') ?? 'nobody']).toEqual([
        path,
        ...(isOpen ? [[], 'nobody'] : ['a token', expect.stringMatching(/^(viewer|operator|admin)$/)]),
      ]);
      const responses = operation.get('responses') as Record<string, { content?: object }>;
      const refusals = Object.entries(responses).filter(
        ([status]) => Number(status) >= 400 && path.startsWith('/api/'),
      );
      expect([path, refusals.length > 3 || isOpen]).toEqual([path, true]);
      for (const [status, { content }] of refusals) {
        expect([path, status, Object.keys(content ?? {})]).toEqual([path, status, ['application/problem+json']]);
      }
    }
  });

  it('has a parameter for every one in a path', () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const parameters = (operation.get('parameters') ?? []) as { name: string; in: string }[];
      expect([path, parameters.filter(({ in: where }) => where === 'path').map(({ name }) => name)]).toEqual([
        path,
        named,
      ]);
    }
  });

  it('describes bodies and queries by the schemas they are checked with', () => {
    const of = (method: string, path: string) =>
      operations.find((each) => each.method === method && each.path === path)?.operation ?? new Map<string, unknown>();
    const { required } = of('post', '/api/executions').get('requestBody') as { required: boolean };
    expect(required).toBe(true);
    const names = (of('get', '/api/executions').get('parameters') as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(['workflow_id', 'bot_id', 'strategy_id', 'state', 'from', 'to', 'limit', 'page']);
    expect(JSON.stringify([...of('post', '/api/executions/{id}/nodes/{node}/approve')])).toContain('"reject"');
  });
});
