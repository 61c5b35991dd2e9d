/** From a start that was made in a trace to the spans a collector is sent and the events a client is told. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTracer, type Tracer } from '../../src/tracing/tracer';
import { askOf, listen, startGateway, token, type GatewayUnderTest } from '../support/gateway-under-test';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string }[];
}
interface Traces {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly CollectedSpan[] }[] }[];
}

/** What takes spans over HTTP and keeps them. */
class Collector {
  readonly spans: CollectedSpan[] = [];
  readonly server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as Traces;
      for (const { scopeSpans } of resourceSpans) for (const { spans } of scopeSpans) this.spans.push(...spans);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
}

const collector = new Collector();
let tracer: Tracer;
let worker: TestWorker;
let redis: OwnRedis;
let traced: GatewayUnderTest;
let plain: GatewayUnderTest;

beforeAll(async () => {
  tracer = await openTracer({ endpoint: await collector.listen(), service: 'test' });
  redis = await startOwnRedis();
  worker = await startTestWorker([], { tracer });
  const common = { redisUrl: redis.url, client: worker.client };
  traced = await startGateway({ ...common, tracer });
  plain = await startGateway(common);
});

afterAll(async () => {
  collector.server.close();
  await redis.stop();
  await traced.close();
  await plain.close();
  await tracer.close();
  await worker.stop();
});

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const graph = () => ({
  ...{ holdfast: 1, id: 'traced', desk: worker.desk },
  nodes: {
    price: { type: 'constant', params: { value: '1' } },
    tell: { type: 'notify', params: { message: '{{price.value}}' } },
    bad: { type: 'math', params: { op: 'divide', a: '1', b: '0' }, on_error: 'continue' },
    other: { type: 'subgraph', body: { nodes: { inner: { type: 'constant', params: { value: '2' } } } } },
  },
});

async function start(url: string, traceparent: string): Promise<string> {
  const authorization = `Bearer ${await token({ role: 'operator' })}`;
  const headers = { authorization, 'content-type': 'application/json', traceparent };
  const response = await fetch(`${url}/api/executions`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ graph: graph() }),
  });
  const { execution_id } = (await response.json()) as { execution_id: string };
  await worker.ended(execution_id);
  return execution_id;
}

const traceIds = (id: string) => [...new Set(worker.eventsOf(id).map(({ trace_id }) => trace_id))];

describe('a start within a trace', () => {
  it('gives a span for itself and one for each attempt of a node below it, and its events the id of the trace', async () => {
    const id = await start(traced.url, `00-${TRACE}-${SPAN}-01`);
    expect(traceIds(id)).toEqual([TRACE]);
    expect(worker.eventsOf(id).length).toBeGreaterThan(6);
    const spans = await until('the spans', () => {
      const found = collector.spans.filter(({ traceId }) => traceId === TRACE);
      return found.length >= 5 && found;
    });
    const [request] = spans.filter(({ name }) => name === 'start_execution');
    expect(request).toMatchObject({ parentSpanId: SPAN });
    const nodes = spans.filter(({ name }) => name !== 'start_execution');
    expect(nodes.map(({ name }) => name).sort()).toEqual([
      'constant inner',
      'constant price',
      'math bad',
      'notify tell',
    ]);
    for (const { parentSpanId } of nodes) expect(parentSpanId).toBe(request?.spanId);
    const [bad] = nodes.filter(({ name }) => name === 'math bad');
    expect(bad?.status).toEqual({ code: 2, message: 'b: is zero and cannot divide' });
    expect(bad?.attributes.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['holdfast.execution_id', 'error.type']),
    );
  });

  it('is handed on by a gateway that traces nothing itself, over REST and over a socket', async () => {
    const id = await start(plain.url, `00-${'a'.repeat(32)}-${SPAN}-01`);
    expect(traceIds(id)).toEqual(['a'.repeat(32)]);
    const operator = await listen(plain.url, { role: 'operator' });
    const traceparent = `00-${'b'.repeat(32)}-${SPAN}-01`;
    const answer = await askOf(operator, 'start_execution', { graph: graph(), traceparent });
    operator.socket.disconnect();
    await worker.ended(String(answer['execution_id']));
    expect(traceIds(String(answer['execution_id']))).toEqual(['b'.repeat(32)]);
  });

  it('is none where what is sent is no trace context', async () => {
    expect(traceIds(await start(plain.url, 'nonsense'))).toEqual([undefined]);
    const last = 'c'.repeat(32);
    await start(traced.url, `00-${last}-${SPAN}-01`);
    const spansOf = (id: string) => collector.spans.filter(({ traceId }) => traceId === id);
    await until('the spans of what came later', () => spansOf(last).length >= 5);
    const given = new Set([TRACE, 'a'.repeat(32), 'b'.repeat(32), last]);
    expect(collector.spans.filter(({ traceId }) => !given.has(traceId))).toEqual([]);
  });
});
