/** What `holdfast/testing` promises: a graph ends in a test as it ends on Temporal. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defineNode, field, output, type NodeKind } from '../../src/activities/define-node';
import { LargeValues } from '../../src/activities/large-values';
import { FileBlobStore } from '../../src/blobs/file-blob-store';
import { HoldfastError, type ErrorCode } from '../../src/errors';
import { nodeKey } from '../../src/events/build';
import { testGraph, type Answer, type Call, type TestRun } from '../../src/testing';
import type { ExecutionStatus, NodeState, NodeStatus } from '../../src/workflows/messages';
import { RunCounter } from '../support/test-kinds';
import { startTestWorker, type TestWorker } from '../support/test-worker';

/** How a `probe` behaves: in a test by its fake, on a worker by its body. */
interface Script {
  readonly fails?: number;
  readonly code?: ErrorCode;
  readonly ms?: number;
  readonly value?: unknown;
}

function answer({ fails = 0, code = 'ConnectionError', ms = 0, value = null }: Script, count: number): Answer {
  const takes = ms / 1_000;
  return count <= fails ? { error: new HoldfastError(code, `no ${count}`), takes } : { outputs: { value }, takes };
}

const counter = new RunCounter();
const probe: NodeKind = defineNode({
  type: 'probe',
  family: 'test',
  effect: 'read',
  description: 'Behaves as its script says.',
  fields: { script: field.any('How.') },
  outputs: { value: output('any', 'As the script says.') },
  retry: { max_attempts: 3, initial_ms: 50 },
  run: async ({ script }, { idempotency_key, signal }) => {
    const { ms = 0 } = script as Script;
    const { error, outputs = {} } = answer(script as Script, counter.count(idempotency_key));
    await sleep(ms, undefined, { signal });
    if (error !== undefined) throw error as Error;
    return { outputs };
  },
});

let worker: TestWorker;
beforeAll(async () => {
  worker = await startTestWorker([probe]);
});
afterAll(async () => {
  await worker.stop();
});

/** What may be done to an execution, here or there. */
interface Hands {
  until(key: string, ...states: NodeState[]): Promise<unknown>;
  deliver(name: string, payload: unknown): Promise<unknown>;
  approve(node: string, decision: 'approve' | 'reject'): Promise<unknown>;
  halt(): Promise<unknown>;
  resume(): Promise<unknown>;
}

interface Scenario {
  readonly nodes: Record<string, unknown>;
  readonly more?: Record<string, unknown>;
  readonly inputs?: Record<string, unknown>;
  readonly play?: (hands: Hands) => Promise<unknown>;
}

/** How an execution ended, without what depends on the clock. */
interface Ending {
  readonly nodes: Record<string, unknown>;
  readonly outputs: unknown;
  readonly error: unknown;
}

async function inTest({ nodes, more = {}, inputs = {}, play }: Scenario): Promise<Ending> {
  const document = { holdfast: 1, id: 'test', desk: worker.desk, nodes, ...more };
  const fakes = Object.fromEntries(
    probesIn(nodes, '')
      .concat(probesIn(onHaltOf(more), 'on_halt/'))
      .map((key) => [key, scripted]),
  );
  const run = testGraph(document, { kinds: [probe], nodes: { ...fakes, ...notifications(nodes) }, inputs });
  await play?.(handsOn(run));
  await run.completed().catch((error: unknown) => {
    if (!(error instanceof HoldfastError) || error.code !== 'NodeFailed') throw error;
  });
  const { failure } = run;
  const ended = Object.entries(run.nodes).filter(([key]) => !/^[^[/]+\//.test(key) || key.startsWith(':'));
  return {
    nodes: Object.fromEntries(ended.map(([key, node]) => [key, comparable(node, node.outputs)])),
    outputs: failure === undefined ? run.outputs : undefined,
    error: failure && `${failure.node_id}: ${failure.error}`,
  };
}

async function onTemporal({ nodes, more, inputs, play }: Scenario): Promise<Ending> {
  const input = worker.prepare(nodes, more);
  const { execution_id } = await worker.client.startExecution(input, inputs === undefined ? {} : { inputs });
  await play?.(handsAt(execution_id));
  const status = await worker.ended(execution_id, 60_000);
  const given = new Map<string, unknown>();
  for (const event of worker.eventsOf(execution_id)) {
    const { type, frame = '', node_id = '' } = event;
    if (type === 'node_completed') given.set(nodeKey(frame, node_id), (event as { outputs?: unknown }).outputs);
  }
  const all = Object.entries(status.nodes);
  return {
    nodes: await asMeant(
      Object.fromEntries(all.map(([key, node]) => [key, comparable(node, node.outputs ?? given.get(key))])),
    ),
    outputs: status.outputs && (await asMeant(status.outputs)),
    error: status.error,
  };
}

/** With what is kept by reference in its place. */
function asMeant(values: Readonly<Record<string, unknown>>) {
  return new LargeValues(new FileBlobStore(worker.config.blobs.directory)).resolve(values);
}

const CLOCKED = new Set(['at', 'execution_id']);

function comparable(node: NodeStatus, outputs: unknown): unknown {
  const { state, type, frame, generation, dispatch, attempt, branch, reason, error, error_type } = node;
  const given = Object.entries(outputs ?? {}).filter(([name]) => !CLOCKED.has(name));
  const ended = { state, type, frame, generation, dispatch, attempt, branch, reason, error, error_type };
  return { ...ended, ...(state === 'completed' ? { outputs: Object.fromEntries(given) } : {}) };
}

const scripted = ({ fields, count }: Call) => answer(fields['script'] as Script, count);

type Specs = Record<string, { type?: string; body?: { nodes: Specs } }>;

function onHaltOf(more: Record<string, unknown>): Record<string, unknown> {
  return (more['on_halt'] as { nodes?: Record<string, unknown> } | undefined)?.nodes ?? {};
}

function probesIn(nodes: Record<string, unknown>, before: string): string[] {
  return Object.entries(nodes as Specs).flatMap(([id, { type, body }]) => [
    ...(type === 'probe' ? [`${before}${id}`] : []),
    ...probesIn(body?.nodes ?? {}, `${before}${id}/`),
  ]);
}

/** The one shipped kind that is not pure and needs no venue; it gives its message back. */
function notifications(nodes: Record<string, unknown>) {
  const told = Object.entries(nodes as Specs).filter(([, { type }]) => type === 'notify');
  const echo = ({ fields }: { fields: Readonly<Record<string, unknown>> }) => ({
    outputs: { channel: 'log', message: fields['message'] },
  });
  return Object.fromEntries(told.map(([id]) => [id, echo]));
}

function handsOn(run: TestRun): Hands {
  return {
    until: (key, ...states) => run.until(key, ...states),
    deliver: (name, payload) => run.deliver(name, payload),
    approve: (node, decision) => (decision === 'approve' ? run.approve(node) : run.reject(node)),
    halt: () => run.halt(),
    resume: () => run.resume(),
  };
}

function handsAt(id: string): Hands {
  const handle = worker.temporal.workflow.getHandle(id);
  const reaches = (condition: (status: ExecutionStatus) => boolean) => worker.reaches(id, condition);
  return {
    until: (key, ...states) => reaches(({ nodes }) => nodes[key] !== undefined && states.includes(nodes[key].state)),
    deliver: (name, payload) => handle.signal('deliver', { name, payload }),
    approve: (node, decision) => handle.executeUpdate('approve', { args: [{ node, decision, actor: 'tester' }] }),
    halt: async () => {
      await handle.signal('halt');
      await reaches(({ halts }) => halts.length > 0);
    },
    resume: () => handle.signal('resume'),
  };
}

const probing = (script: Script = {}, more: object = {}) => ({ type: 'probe', params: { script }, ...more });
const constant = (value: unknown, more: object = {}) => ({ type: 'constant', params: { value }, ...more });

const scenarios: Record<string, Scenario> = {
  'conditions, branches and `when`': {
    nodes: {
      price: probing({ value: '100' }),
      high: { type: 'threshold', params: { min: '99' }, inputs: { value: 'price.value' } },
      yes: constant('{{price.value}}!', { after: ['high.pass'] }),
      no: constant(1, { after: ['high.fail'] }),
      after_no: constant(2, { after: ['no.finished'] }),
      guarded: constant(3, { when: 'price.value > 1000' }),
      either: { type: 'notify', after: ['yes', 'no'], join: 'any', params: { message: 'at {{price.value}}' } },
    },
    more: { outputs: { said: 'either.message' } },
  },
  'retries that help, that are used up, and that cannot help': {
    nodes: {
      helps: probing({ fails: 2, value: 1 }),
      used_up: probing({ fails: 9 }, { on_error: 'continue' }),
      cannot: probing({ fails: 9, code: 'InvalidInput' }),
      mend: constant('mended', { after: ['cannot.error'] }),
      always: constant('always', { after: ['used_up.finished', 'helps'] }),
      never: constant('never', { after: ['used_up'] }),
    },
  },
  'a failure nobody handles': {
    nodes: {
      slow: probing({ ms: 600, value: 'kept' }),
      pause: { type: 'wait', params: { for: '1h' } },
      bad: probing({ fails: 9, code: 'DataUnavailable', ms: 100 }),
      next: constant(1, { after: ['slow'] }),
      loop: {
        type: 'map',
        inputs: { items: 'three.value' },
        params: { concurrency: 1 },
        body: { nodes: { pause: { type: 'wait', params: { for: '1h' } } } },
      },
      three: constant([1, 2, 3]),
    },
  },
  'joins by the first and by a number': {
    nodes: {
      fast: probing({}),
      medium: probing({ ms: 500 }),
      slow: probing({ ms: 1_500 }),
      bad: probing({ fails: 9, code: 'InvalidInput' }, { on_error: 'continue' }),
      first: { type: 'get', after: ['slow', 'fast'], join: 'any', params: { name: 'seen' } },
      two: { type: 'set', after: ['fast', 'medium', 'slow'], join: 2, params: { name: 'seen', value: 'two' } },
      late: { type: 'get', after: ['slow'], params: { name: 'seen' } },
      lost: constant(1, { after: ['bad', 'fast', 'medium'], join: 3 }),
    },
    more: { variables: { seen: 'nothing' }, outputs: { first: 'first.value', late: 'late.value' } },
  },
  'timeouts, of an attempt and in total': {
    nodes: {
      attempt: probing({ ms: 20_000 }, { timeout: '300ms', retry: { max_attempts: 2 }, on_error: 'continue' }),
      total: probing({ ms: 3_000 }, { total_timeout: '700ms', on_error: 'continue' }),
      no_time_left: probing(
        { fails: 9 },
        { total_timeout: '1s', retry: { max_attempts: 5, initial: '5s' }, on_error: 'continue' },
      ),
    },
  },
  'loops in loops, with items that fail': {
    nodes: {
      scripts: constant([{ value: 'a' }, { fails: 9, code: 'InvalidInput' }, { fails: 1, value: 'c' }]),
      each: {
        type: 'map',
        inputs: { items: 'scripts.value' },
        params: { concurrency: 2, on_item_error: 'continue' },
        body: {
          nodes: {
            one: { type: 'probe', inputs: { script: 'item.value' } },
            again: {
              type: 'repeat',
              after: ['one'],
              params: { max_iterations: 5 },
              while: 'item.index < 2',
              body: {
                nodes: { at: { type: 'constant', inputs: { value: 'item.index' } } },
                outputs: { at: 'at.value' },
              },
            },
          },
          outputs: { one: 'one.value', times: 'again.iterations' },
        },
      },
      strict: {
        type: 'map',
        inputs: { items: 'scripts.value' },
        params: { concurrency: 1 },
        on_error: 'continue',
        body: { nodes: { one: { type: 'probe', inputs: { script: 'item.value' } } } },
      },
    },
    more: { outputs: { results: 'each.results', errors: 'each.errors' } },
  },
  'a subgraph, and one that fails': {
    nodes: {
      price: probing({ value: '4' }),
      fee: {
        type: 'subgraph',
        inputs: { price: 'price.value' },
        body: {
          nodes: {
            again: probing({ fails: 1 }),
            twice: { type: 'math', after: ['again'], params: { op: 'multiply', b: '2' }, inputs: { a: 'input.price' } },
          },
          outputs: { fee: 'twice.value' },
        },
      },
      broken: {
        type: 'subgraph',
        on_error: 'continue',
        body: { nodes: { bad: probing({ fails: 9, code: 'InvalidInput' }) } },
      },
    },
    more: { outputs: { fee: 'fee.fee' } },
  },
  'waits, messages and approvals': {
    nodes: {
      pause: { type: 'wait', params: { for: '200ms' } },
      go: { type: 'wait_for_signal', params: { name: 'go' } },
      kept: { type: 'wait_for_signal', after: ['go'], params: { name: 'early' } },
      late: { type: 'wait_for_signal', params: { name: 'never', deadline: '300ms', on_timeout: 'continue' } },
      lost: { type: 'wait_for_signal', params: { name: 'never', deadline: '300ms' }, on_error: 'continue' },
      ask: { type: 'approval' },
      asked: { type: 'approval', params: { deadline: '300ms', on_timeout: 'approve' } },
      no: constant('no', { after: ['ask.rejected', 'late.timed_out'] }),
    },
    more: { outputs: { got: 'go.payload', kept: 'kept.payload' } },
    play: async (hands) => {
      await hands.until('go', 'waiting');
      await hands.deliver('early', { early: true });
      await hands.deliver('go', [1, 2]);
      await hands.approve('ask', 'reject');
    },
  },
  'booleans, choices, variables and inputs': {
    nodes: {
      a: { type: 'if', params: { condition: 'input.amount > 5' } },
      small: constant(1, { after: ['a.false'] }),
      big: { type: 'set', after: ['a.true'], params: { name: 'size' }, inputs: { value: 'input.amount' } },
      size: { type: 'get', after: ['big'], params: { name: 'size' } },
      sum: { type: 'math', params: { op: 'add', b: '0.1' }, inputs: { a: 'size.value' } },
    },
    inputs: { amount: '7.20' },
    more: {
      inputs: { amount: { type: 'decimal' }, note: { type: 'text', default: 'none' } },
      variables: { size: '0' },
      outputs: { sum: 'sum.value', note: 'input.note' },
    },
  },
  'values too large to carry': {
    nodes: {
      large: probing({ value: Array.from({ length: 9_000 }, (_, index) => `item ${index}`) }),
      last: constant('{{large.value.8999}} of {{large.value.length}}'),
      part: { type: 'constant', inputs: { value: 'large.value.17' } },
    },
    more: { outputs: { last: 'last.value', part: 'part.value' } },
  },
  'a halt between two attempts, and what runs at it': {
    nodes: {
      flaky: probing({ fails: 1, value: 1 }, { retry: { max_attempts: 3, initial: '3s' } }),
      slow: probing({ ms: 1_500, value: 2 }),
      next: constant(3, { after: ['flaky', 'slow'] }),
      wait: { type: 'wait_for_signal', params: { name: 'go' } },
    },
    more: { on_halt: { nodes: { told: probing({ value: 'halted' }) } }, outputs: { next: 'next.value' } },
    play: async (hands) => {
      await hands.until('slow', 'running');
      await hands.until('wait', 'waiting');
      await hands.halt();
      await hands.until('flaky', 'pending');
      await hands.until('slow', 'completed');
      await hands.deliver('go', 'during the halt');
      await hands.until('wait', 'completed');
      await hands.resume();
    },
  },
};

describe('a graph under test ends as on Temporal', () => {
  it.each(Object.entries(scenarios))('%s', async (_, scenario) => {
    const [here, there] = await Promise.all([inTest(scenario), onTemporal(scenario)]);
    expect(here).toEqual(there);
    expect(Object.keys(there.nodes).length).toBeGreaterThan(1);
  });

  it('whatever the graph, where its joins are `all` and its failures handled', async () => {
    const graphs = fc.sample(anyNodes.filter(isValid), { numRuns: 12, seed: 20_260_101 });
    const pairs = await Promise.all(
      graphs.map(async (nodes) => [await inTest({ nodes }), await onTemporal({ nodes })] as const),
    );
    for (const [here, there] of pairs) expect(here).toEqual(there);
    const states = new Set(
      pairs.flatMap(([, { nodes }]) => Object.values(nodes).map((node) => (node as NodeStatus).state)),
    );
    expect([...states].sort()).toEqual(['completed', 'failed', 'skipped']);
  });
});

function isValid(nodes: Record<string, unknown>): boolean {
  try {
    worker.prepare(nodes);
    return true;
  } catch {
    return false;
  }
}

/** Up to 15 nodes, each after some of those before it, by every way a node can end. */
const anyNodes = fc
  .array(
    fc.record({
      kind: fc.constantFrom('probe', 'constant', 'if', 'wait'),
      fails: fc.constantFrom(0, 0, 0, 1, 9),
      truth: fc.boolean(),
      after: fc.array(
        fc.record({ back: fc.integer({ min: 1, max: 4 }), on: fc.constantFrom('', '.error', '.finished', '.branch') }),
        {
          maxLength: 3,
        },
      ),
    }),
    { minLength: 5, maxLength: 15 },
  )
  .map((drawn) => {
    const nodes: Record<string, unknown> = {};
    drawn.forEach(({ kind, fails, truth, after }, index) => {
      const references = after.flatMap(({ back, on }) => {
        const from = drawn[index - back];
        if (from === undefined) return [];
        const branch = from.kind === 'if' ? '.true' : '';
        return [`n${index - back}${on === '.branch' ? branch : on}`];
      });
      const spec = {
        probe: probing({ fails, value: index }),
        constant: constant(index),
        if: { type: 'if', params: { condition: truth ? '1 < 2' : '1 > 2' } },
        wait: { type: 'wait', params: { for: '20ms' } },
      }[kind];
      nodes[`n${index}`] = { ...spec, on_error: 'continue', after: [...new Set(references)] };
    });
    return nodes;
  });
