import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { emergencyEvent, executionEvent, nodeEvent, nodeKey, type ExecutionContext } from '../../src/events/build';
import { terminalExecutionTypes, type NodeFact, type NodeTurn } from '../../src/events/envelope';

const AT = Date.parse('2026-01-05T12:00:00.123Z');
const bare: ExecutionContext = { execution_id: 'exec_1', mode: 'paper' };
const full: ExecutionContext = {
  ...bare,
  workflow_id: 'w',
  graph_version: 'abcdef012345',
  bot_id: 'bot_001',
  strategy_id: 's',
};
const turn: NodeTurn = { node_id: 'a', node_type: 'constant', frame: '', generation: 0, dispatch: 1, attempt: 2 };
const facts: readonly NodeFact[] = [
  { type: 'node_waiting', reason: 'timer' },
  { type: 'node_started' },
  { type: 'node_retrying', error: 'e', error_type: 'TimeoutError', next_attempt_ms: 5 },
  { type: 'node_failed', error: 'e', error_type: 'TimeoutError', duration_ms: 1 },
  { type: 'node_skipped', reason: 'branch' },
  { type: 'node_completed', status: 'success', duration_ms: 1, outputs: {} },
];

describe('node events', () => {
  it('carry the envelope, the node’s place and the fact, and nothing that does not apply', () => {
    expect(nodeEvent(full, turn, { type: 'node_started' }, AT)).toEqual({
      key: 'a',
      precedence: [0, 1, 2, 1],
      event: {
        ...full,
        v: 1,
        event_id: 'exec_1|a|0|1|2|node_started',
        stream: 'exec_1',
        timestamp: '2026-01-05T12:00:00.123Z',
        node_id: 'a',
        node_type: 'constant',
        generation: 0,
        attempt: 2,
        type: 'node_started',
      },
    });
    const { event } = nodeEvent(bare, turn, { type: 'node_started' }, AT);
    expect(Object.keys(event)).not.toEqual(expect.arrayContaining(['bot_id']));
    expect(Object.values(event)).not.toContain(undefined);
  });

  it('name their frame, in the key too', () => {
    const publication = nodeEvent(full, { ...turn, frame: 'each[3]' }, { type: 'node_started' }, AT);
    expect(publication).toMatchObject({ key: 'each[3]/a', event: { frame: 'each[3]' } });
    expect(nodeKey('', 'a')).toBe('a');
  });

  it('rank waiting below started below retrying below every end, and failure above all', () => {
    const ranks = facts.map((fact) => nodeEvent(full, turn, fact, AT).precedence?.[3]);
    expect(ranks).toEqual([0, 1, 2, 4, 3, 3]);
  });

  it('share an id exactly when execution, place, turn and phase are the same', () => {
    const place = fc.record({
      node_id: fc.constantFrom('a', 'b'),
      frame: fc.constantFrom('', 'f[1]'),
      generation: fc.nat(1),
      dispatch: fc.nat(1),
      attempt: fc.nat(1),
      fact: fc.constantFrom(...facts),
      execution_id: fc.constantFrom('e1', 'e2'),
    });
    fc.assert(
      fc.property(place, place, (one, other) => {
        const idOf = ({ fact, execution_id, ...rest }: typeof one, at: number) =>
          nodeEvent({ ...bare, execution_id }, { ...rest, node_type: 'constant' }, fact, at).event.event_id;
        expect(idOf(one, AT) === idOf(other, AT + 1)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: 500 },
    );
  });
});

describe('execution events', () => {
  it('are told apart by their ordinal, so a second halt is an event of its own and a repeat is not', () => {
    const halt = (ordinal: number, at: number) =>
      executionEvent(full, ordinal, { type: 'execution_halted', reason: 'r', scope: 'execution' }, at).event.event_id;
    expect(halt(1, AT)).toBe(halt(1, AT + 5));
    expect(halt(1, AT)).not.toBe(halt(3, AT));
  });

  it('stand in the order of their ordinals, the end above all; a hint has no place', () => {
    const placeOf = (ordinal: number | 'end' | 'ending') =>
      executionEvent(full, ordinal, { type: 'execution_ending' }, AT).precedence;
    expect(placeOf(3)).toEqual([3, 0, 0, 0]);
    expect(placeOf('end')?.[0]).toBe(Number.MAX_SAFE_INTEGER);
    expect(placeOf('ending')).toBeUndefined();
    expect(executionEvent(full, 'ending', { type: 'execution_ending' }, AT)).not.toHaveProperty('key');
  });

  it('end in one of three ways', () => {
    expect([...terminalExecutionTypes].sort()).toEqual([
      'execution_cancelled',
      'execution_completed',
      'execution_failed',
    ]);
  });
});

describe('emergency events', () => {
  it('belong to the desk’s stream, with one id per epoch', () => {
    const fact = {
      type: 'emergency_state_changed',
      controller_id: 'default',
      scope: 'global',
      previous_state: 'normal',
      new_state: 'halt',
      reason: 'r',
      actor: 'me',
      desk_epoch: 4,
    } as const;
    const { event, precedence } = emergencyEvent('default', 'paper', fact, AT);
    expect(event).toMatchObject({ stream: 'desk/default', event_id: 'desk/default|4', new_state: 'halt' });
    expect(event).not.toHaveProperty('execution_id');
    expect(precedence).toEqual([4, 0, 0, 0]);
  });
});
