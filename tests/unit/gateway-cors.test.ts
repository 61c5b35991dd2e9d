/** What a page of another origin may send, by what the gateway answers before the browser lets it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { Budgets } from '../../src/gateway/budgets';
import { Counters } from '../../src/gateway/counters';
import { createHttp } from '../../src/gateway/http';
import { createLogger } from '../../src/logging';

const PAGE = 'https://pages.example.org';
const HOST = 'localhost:8001';
const page = mkdtempSync(join(tmpdir(), 'holdfast-page-'));
let app: FastifyInstance;

beforeAll(async () => {
  const budget = { points: 10, seconds: 600 };
  app = await createHttp({
    ...{ rules: { host: '127.0.0.1', allowed_origins: [PAGE] }, secret: 'a secret of at least thirty-two characters' },
    ...{ budgets: new Budgets(budget, budget), counters: new Counters(), page },
    log: createLogger('cors-test', { level: 'silent', pretty: false }),
  });
});
afterAll(async () => {
  await app.close();
  rmSync(page, { recursive: true });
});

const preflight = (origin: string, headers: string) =>
  app.inject({
    method: 'OPTIONS',
    url: '/api/executions',
    headers: {
      ...{ host: HOST, origin, 'access-control-request-method': 'POST' },
      'access-control-request-headers': headers,
    },
  });

describe('a page of another origin', () => {
  it.each(['authorization', 'content-type', 'traceparent', 'tracestate'])(
    'that is allowed may send %s',
    async (header) => {
      const { statusCode, headers } = await preflight(PAGE, header);
      expect([statusCode, headers['access-control-allow-origin']]).toEqual([204, PAGE]);
      expect(String(headers['access-control-allow-headers']).split(', ')).toContain(header);
    },
  );

  it('that is not allowed is told of no header', async () => {
    const { statusCode, headers } = await preflight('https://elsewhere.example.org', 'traceparent');
    expect(statusCode).toBe(403);
    expect(headers).not.toHaveProperty('access-control-allow-headers');
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });
});
