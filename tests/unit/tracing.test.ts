import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Context } from '@temporalio/activity';
import { loadConfig } from '../../src/config/config';
import { HoldfastError } from '../../src/errors';
import { executionEvent, nodeEvent } from '../../src/events/build';
import { asTraceparent, traceIdOf } from '../../src/events/traceparent';
import type { NodeTask } from '../../src/graph/task';
import type { SpanFailure, SpanWords, Tracer } from '../../src/tracing/tracer';
import { NodeInterceptor } from '../../src/worker/node-interceptor';
import { nodeSpans } from '../../src/worker/node-spans';
import { nodeContext } from '../support/node-context';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

describe('a traceparent', () => {
  it('names its trace', () => {
    expect([traceIdOf(TRACEPARENT), asTraceparent(TRACEPARENT)]).toEqual([TRACE, TRACEPARENT]);
  });

  it('is nothing else: no other version, no zeros, no capitals, no list', () => {
    const others = [
      ...[undefined, 7, '', [TRACEPARENT], `01-${TRACE}-00f067aa0ba902b7-01`, `${TRACEPARENT}-more`],
      ...[`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `00-${TRACE}-${'0'.repeat(16)}-01`, TRACEPARENT.toUpperCase()],
    ];
    for (const other of others) expect([traceIdOf(other), asTraceparent(other)]).toEqual([undefined, undefined]);
  });

  it('gives the events of its execution the id of the trace, and those without one none', () => {
    const context = { execution_id: 'exec_a', mode: 'paper', traceparent: TRACEPARENT } as const;
    const started = executionEvent(context, 0, { type: 'execution_started', node_count: 1 }, 0).event;
    expect(started).toMatchObject({ trace_id: TRACE });
    expect(started).not.toHaveProperty('traceparent');
    const { traceparent: _, ...without } = context;
    const turn = { node_id: 'n', node_type: 'constant', frame: '', generation: 0, dispatch: 1, attempt: 1 };
    expect(nodeEvent(without, turn, { type: 'node_started' }, 0).event).not.toHaveProperty('trace_id');
  });
});

describe('a span of a node', () => {
  const begun: SpanWords[] = [];
  const ended: (SpanFailure | undefined)[] = [];
  const tracer: Tracer = {
    begin: (words) => {
      begun.push(words);
      return { traceparent: TRACEPARENT, end: (failure) => void ended.push(failure) };
    },
    close: () => Promise.resolve(),
  };
  const attempt = (task: Partial<NodeTask>, body: () => Promise<unknown>) => {
    const context = { info: { attempt: 2, isLocal: true, activityType: 'sample' } } as unknown as Context;
    const interceptor = new NodeInterceptor(context, {
      isNode: () => true,
      enter: () => ({ admitted: true, leave: () => undefined }),
      publish: () => undefined,
      span: nodeSpans(tracer),
    });
    const of = { ...nodeContext().task, node_type: 'sample', ...task };
    return interceptor.execute({ args: [of], headers: {} }, body);
  };

  it('begins with each attempt of an execution that has a trace, and ends as the attempt does', async () => {
    await attempt({ traceparent: TRACEPARENT, used_attempts: 1 }, () => Promise.resolve({ outputs: {} }));
    expect(begun).toMatchObject([
      {
        ...{ parent: TRACEPARENT, kind: 'internal', name: expect.stringMatching(/^sample /) },
        attributes: { 'holdfast.node_type': 'sample', 'holdfast.attempt': 3, 'holdfast.mode': 'paper' },
      },
    ]);
    const failing = () => Promise.reject(new HoldfastError('ServiceError', 'busy'));
    await expect(attempt({ traceparent: TRACEPARENT }, failing)).rejects.toThrow('busy');
    const halted = { unsent: true, scope: 'global', reason: 'x', epoch: 1 };
    const refused = () => Promise.reject(new HoldfastError('EmergencyHalted', 'closed', halted));
    await expect(attempt({ traceparent: TRACEPARENT }, refused)).rejects.toThrow('closed');
    expect(ended).toEqual([undefined, { error: 'busy', error_type: 'ServiceError' }, undefined]);
  });

  it('is not begun for an execution without one', async () => {
    const before = begun.length;
    await attempt({}, () => Promise.resolve({ outputs: {} }));
    expect(begun).toHaveLength(before);
  });
});

describe('OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  it('is the address of a collector, or nothing', () => {
    const endpoint = (given?: string) =>
      loadConfig(given === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: given }).tracing.endpoint;
    expect([endpoint(), endpoint(''), endpoint('http://127.0.0.1:4318')]).toEqual([
      ...[undefined, undefined, 'http://127.0.0.1:4318'],
    ]);
    expect(() => endpoint('collector:4317')).toThrow(
      'OTEL_EXPORTER_OTLP_ENDPOINT: must start with http:// or https://',
    );
  });

  it('unset, gateway and worker load nothing of OpenTelemetry’s SDK', () => {
    const runner = resolve(__dirname, '../support/run-typescript.cjs');
    const output = execFileSync(process.execPath, [runner, resolve(__dirname, '../support/loaded-modules.ts')], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(JSON.parse(output)).toEqual([]);
  }, 90_000);
});
