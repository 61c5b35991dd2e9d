import { describe, expect, it } from '@jest/globals';
import { checkInputs } from '../../src/graph/inputs';
import { testGraph } from '../../src/testing';
import type { Execution } from '../../src/workflows/execution';
import { Mailbox, readDelivery } from '../../src/workflows/mailbox';
import { assertApprovable } from '../../src/workflows/steering';

const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

describe('messages nobody waits for yet', () => {
  it('leave all their room when they are taken in a later run, also where one of them is not plain ASCII', () => {
    const before = new Mailbox();
    for (const payload of ['ü', 'x'.repeat(50_000)]) expect(before.keep({ name: 'a', payload })).toBe(true);
    const after = new Mailbox(before.all);
    expect(after.keep({ name: 'b', payload: 'x'.repeat(60_000) })).toBe(true);
    for (const name of ['a', 'a', 'b']) expect(after.take(name)).toBeDefined();
    for (const name of ['c', 'd']) expect(after.keep({ name, payload: 'x'.repeat(60_000) })).toBe(true);
    expect(after.keep({ name: 'e', payload: 'x'.repeat(60_000) })).toBe(false);
  });
});

describe('a message', () => {
  it('is refused in words when it is nested so deep that to weigh it would exhaust the stack', () => {
    for (const levels of [257, 5_000, 30_000]) {
      expect(readDelivery({ name: 'prices', payload: nested(levels) })).toMatch('nested deeper than 256 levels');
    }
    expect(readDelivery({ name: 'prices', payload: nested(256) })).toEqual({ name: 'prices', payload: nested(256) });
  });
});

describe('a value an execution is started with', () => {
  it('is refused in words when it is nested as deep', () => {
    const graph = { inputs: { tree: { type: 'any' as const } } };
    for (const levels of [257, 30_000]) {
      expect(checkInputs(graph, { tree: nested(levels) }).mistakes).toEqual([
        { input: 'tree', message: 'The input `tree` is nested deeper than 256 levels.' },
      ]);
    }
    expect(checkInputs(graph, { tree: nested(256) }).mistakes).toEqual([]);
  });
});

describe('a node that waits for a message', () => {
  it('fails when nothing could be delivered under the name it was given', async () => {
    const name = { type: 'constant', params: { value: 'x'.repeat(201) } };
    const hears = { type: 'wait_for_signal', params: { name: '{{name.value}}' } };
    const run = testGraph({ holdfast: 1, id: 'tested', nodes: { name, hears } });
    expect(await run.failed()).toMatchObject({ node_id: 'hears', error_type: 'InvalidInput' });
  });
});

describe('an approval', () => {
  const waits = { get: () => ({ kind: 'approval' }) };
  const execution = { books: { graph: { find: () => 0 }, waits } } as unknown as Execution;
  const request = { node: 'ask', decision: 'approve', actor: 'ann' };

  it('is refused before it is taken when its comment is no text, for a handler that throws wedges the execution', () => {
    for (const comment of [{ toString: null }, nested(20_000), 5, null]) {
      expect(() => {
        assertApprovable(execution, { ...request, comment });
      }).toThrow('comment: must be a text');
    }
    expect(() => {
      assertApprovable(execution, { ...request, comment: 'go' });
    }).not.toThrow();
  });
});
