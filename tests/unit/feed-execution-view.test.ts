import { describe, expect, it } from '@jest/globals';
import { fromSnapshot, withEvent, type ExecutionView } from '../../src/feed-client/execution-view';
import type { EventEnvelope } from '../../src/events/envelope';
import type { Publication } from '../../src/events/build';
import { executionEvent } from '../../src/events/build';
import { AT, completed, context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';

const of = context('exec_view');
const position = { log_epoch: '1-a-1', seq: 9 };

/** As the log would have numbered them. */
function numbered(publications: readonly Publication[]): EventEnvelope[] {
  return publications.map(({ event }, at) => ({ ...event, log_epoch: '1-a-1', seq: at + 1 }));
}

function viewOf(...publications: readonly Publication[]): ExecutionView | undefined {
  return numbered(publications).reduce<ExecutionView | undefined>(withEvent, undefined);
}

const halted = executionEvent(of, 1, { type: 'execution_halted', reason: 'r', scope: 'global' }, AT);
const resumed = executionEvent(of, 2, { type: 'execution_resumed', reason: 'r', scope: 'global' }, AT);
const failed = { type: 'node_failed', error: 'e', error_type: 'TimeoutError', duration_ms: 1 } as const;

describe('the view of an execution', () => {
  it('says how it stands, whose it is, and how its nodes stand', () => {
    expect(viewOf(started(of), node(of, 'a', nodeStarted))).toMatchObject({
      ...{ execution_id: 'exec_view', workflow_id: 'arb', bot_id: 'bot_001', strategy_id: 'arb_btc', mode: 'paper' },
      ...{ state: 'running', has_ended: false, node_count: 2, nodes: { a: { node_id: 'a', state: 'running' } } },
    });
    expect(viewOf(started(of), halted)?.state).toBe('halted');
    expect(viewOf(started(of), halted, resumed)?.state).toBe('running');
    expect(viewOf(started(of), completed(of))).toMatchObject({ state: 'completed', has_ended: true });
  });

  it('takes no word of every object for a node', () => {
    for (const name of ['constructor', 'toString', 'valueOf']) {
      expect(viewOf(started(of))?.nodes[name]).toBeUndefined();
      const view = viewOf(started(of), node(of, name, nodeStarted), node(of, name, nodeCompleted));
      expect(Object.entries(view?.nodes ?? {})).toMatchObject([[name, { node_id: name, state: 'completed' }]]);
    }
  });

  it('is not opened again by a halt or a resume that is told late', () => {
    expect(viewOf(started(of), completed(of), halted)?.state).toBe('completed');
    expect(viewOf(started(of), completed(of), resumed)?.state).toBe('completed');
  });

  it('keeps the end of a node against what came before it and is told late, but not against a refusal or a new generation', () => {
    const state = (...publications: readonly Publication[]) => viewOf(...publications)?.nodes['a']?.state;
    expect(state(node(of, 'a', nodeCompleted), node(of, 'a', nodeStarted))).toBe('completed');
    expect(state(node(of, 'a', nodeCompleted), node(of, 'a', failed))).toBe('failed');
    expect(state(node(of, 'a', failed), node(of, 'a', nodeCompleted))).toBe('failed');
    expect(state(node(of, 'a', failed), node(of, 'a', nodeStarted, { generation: 2 }))).toBe('running');
    expect(state(node(of, 'a', nodeStarted, { generation: 2 }), node(of, 'a', failed))).toBe('running');
  });

  it('leaves what does not belong to it as it is', () => {
    const view = viewOf(started(of));
    const [other] = numbered([started(context('exec_other'))]);
    expect(withEvent(view, { ...other!, execution_id: 'exec_view' })).toBe(view);
    const { execution_id: _id, ...foreign } = other!;
    expect(withEvent(view, foreign as EventEnvelope)).toBe(view);
  });

  it('is what a snapshot says', () => {
    const [begun, a, end] = numbered([started(of), node(of, 'a', nodeCompleted), completed(of)]);
    const snapshot = { stream: 'exec_view', position, started: true, ended: true, nodes: { a: a! } };
    expect(fromSnapshot({ ...snapshot, latest: end!, node_count: 2 })).toEqual(
      viewOf(started(of), node(of, 'a', nodeCompleted), completed(of)),
    );
    expect(fromSnapshot({ ...snapshot, latest: begun! })?.nodes['a']?.state).toBe('completed');
    expect(fromSnapshot({ ...snapshot, nodes: {} })).toBeUndefined();
  });

  it('is a value: what is told later changes neither it nor a record of its nodes that was read', () => {
    const states = (view: ExecutionView | undefined) => Object.values(view?.nodes ?? {}).map(({ state }) => state);
    const before = viewOf(started(of), node(of, 'a', nodeStarted));
    const [later] = numbered([node(of, 'a', nodeCompleted)]);
    const unread = withEvent(before, later!);
    expect(states(before)).toEqual(['running']);
    const after = withEvent(before, later!);
    expect([unread, after].map(states)).toEqual([['completed'], ['completed']]);
    expect(states(before)).toEqual(['running']);
    expect(after?.nodes).toBe(after?.nodes);
    expect(withEvent({ ...before! }, later!)).toEqual(after);
  });

  it('knows every node of many, in the order in which they were first told, however seldom it is read', () => {
    const ids = Array.from({ length: 300 }, (_, at) => `n${at}`);
    const told = [nodeStarted, nodeCompleted].flatMap((fact) => ids.map((id) => node(of, id, fact)));
    const view = viewOf(started(of), ...told);
    expect(Object.keys(view?.nodes ?? {})).toEqual(ids);
    expect(Object.values(view?.nodes ?? {}).every(({ state }) => state === 'completed')).toBe(true);
    expect(JSON.parse(JSON.stringify(view))).toMatchObject({ nodes: { n299: { state: 'completed' } } });
  });
});
