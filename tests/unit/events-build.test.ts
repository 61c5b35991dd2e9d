import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  circuitEvent,
  emergencyEvent,
  executionEvent,
  nodeEvent,
  nodeKey,
  type ExecutionContext,
  metricsEvent,
} from '../../src/events/build';
import type { EmergencyStateChanged, NodeFact, NodeTurn } from '../../src/events/envelope';

const AT = Date.parse('2026-01-05T12:00:00.123Z');
const context: ExecutionContext = {
  execution_id: 'exec_a',
  workflow_id: 'a',
  graph_version: 'v1',
  bot_id: 'bot',
  mode: 'paper',
};
const turn: NodeTurn = { node_id: 'n', node_type: 'constant', frame: '', generation: 0, dispatch: 1, attempt: 1 };
const started: NodeFact = { type: 'node_started' };

describe('the id of an event', () => {
  it('is the same for the same fact, whoever tells it and when', () => {
    expect(nodeEvent(context, turn, started, AT).event.event_id).toBe(
      nodeEvent(context, turn, started, AT + 5).event.event_id,
    );
  });

  it('differs with every part of a node’s turn and with the phase', () => {
    const part = fc.record({
      node_id: fc.constantFrom('n', 'm'),
      frame: fc.constantFrom('', 'each[1]'),
      generation: fc.nat(2),
      dispatch: fc.nat(2),
      attempt: fc.nat(2),
      type: fc.constantFrom('node_started' as const, 'node_skipped' as const),
    });
    const idOf = ({ type, ...rest }: typeof part extends fc.Arbitrary<infer P> ? P : never) =>
      nodeEvent(context, { ...turn, ...rest }, type === 'node_started' ? { type } : { type, reason: '' }, AT).event
        .event_id;
    fc.assert(
      fc.property(part, part, (a, b) => {
        expect(idOf(a) === idOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  it('counts the state changes of an execution, and the desk’s epochs', () => {
    const halted = { type: 'execution_halted', reason: 'x', scope: 'execution' } as const;
    const ids = [1, 2].map((ordinal) => executionEvent(context, ordinal, halted, AT).event.event_id);
    expect(ids).toEqual(['exec_a|1', 'exec_a|2']);
    const fact = {
      type: 'emergency_state_changed',
      controller_id: 'global',
      scope: 'global',
      previous_state: 'normal',
      new_state: 'halt',
      reason: 'x',
      actor: 'ann',
      desk_epoch: 7,
      sealed: false,
    } as const;
    expect(emergencyEvent('main', 'paper', fact, AT)).toEqual({
      event: {
        v: 1,
        event_id: 'desk/main|7',
        stream: 'desk/main',
        timestamp: '2026-01-05T12:00:00.123Z',
        mode: 'paper',
        ...fact,
      },
      precedence: [7, 0, 0, 0],
    });
  });
});

describe('a change of a circuit breaker', () => {
  const fact = {
    type: 'circuit_state_changed',
    resource: 'exchange_api',
    previous_state: 'closed',
    new_state: 'open',
  } as const;
  const place = { ...context, strategy_id: 'arb', node_id: 'n', node_type: 'ticker', frame: '' };
  const origin = { worker_id: 'w1', ordinal: 3 };

  it('has exactly the fields of its contract, and stands in no snapshot', () => {
    expect(circuitEvent(place, fact, origin, AT)).toEqual({
      event: {
        v: 1,
        event_id: 'exec_a|circuit|w1|exchange_api|3',
        stream: 'exec_a',
        timestamp: '2026-01-05T12:00:00.123Z',
        mode: 'paper',
        execution_id: 'exec_a',
        workflow_id: 'a',
        graph_version: 'v1',
        bot_id: 'bot',
        strategy_id: 'arb',
        node_id: 'n',
        node_type: 'ticker',
        ...fact,
      },
    });
    expect(circuitEvent({ ...place, frame: 'each[3]' }, fact, origin, AT).event).toMatchObject({ frame: 'each[3]' });
  });

  it('has an id of its own for every change of every resource in every worker', () => {
    const part = fc.record({
      worker_id: fc.constantFrom('w1', 'w2'),
      resource: fc.constantFrom('a', 'b'),
      ordinal: fc.integer({ min: 1, max: 3 }),
    });
    const idOf = ({ resource, ...rest }: { resource: string; worker_id: string; ordinal: number }) =>
      circuitEvent(place, { ...fact, resource }, rest, AT).event.event_id;
    fc.assert(
      fc.property(part, part, (a, b) => {
        expect(idOf(a) === idOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});

describe('the place of an event among those of its key', () => {
  it('rises with generation, dispatch, attempt and phase, in this order', () => {
    const facts: NodeFact[] = [
      started,
      { type: 'node_retrying', error: '', error_type: '', next_attempt_ms: 1 },
      { type: 'node_waiting', reason: '' },
      { type: 'approval_requested' },
      { type: 'approval_given', actor: 'ann', decision: 'approved' },
      { type: 'node_completed', status: 'success', duration_ms: 1, outputs: {} },
      { type: 'node_failed', error: '', error_type: '', duration_ms: 1 },
    ];
    const ranks = facts.map((fact) => nodeEvent(context, turn, fact, AT).precedence);
    expect(ranks).toEqual([
      [0, 1, 1, 1],
      [0, 1, 1, 2],
      [0, 1, 1, 3],
      [0, 1, 1, 4],
      [0, 1, 1, 5],
      [0, 1, 1, 6],
      [0, 1, 1, 7],
    ]);
  });

  it('is last for an execution’s end, and none for a hint', () => {
    const end = executionEvent(
      context,
      'end',
      { type: 'execution_completed', status: 'completed', duration_ms: 1 },
      AT,
    );
    expect(end.precedence).toEqual([Number.MAX_SAFE_INTEGER, 0, 0, 0]);
    expect(executionEvent(context, 'ending', { type: 'execution_ending' }, AT)).toEqual({
      event: expect.objectContaining({ type: 'execution_ending', event_id: 'exec_a|ending' }),
    });
  });
});

describe('an event', () => {
  it('carries what it is about, and no member without a value', () => {
    const { event, key } = nodeEvent(
      context,
      { ...turn, frame: 'each[3]', attempt: 0 },
      { type: 'node_skipped', reason: 'x' },
      AT,
    );
    expect(event).toEqual({
      v: 1,
      event_id: 'exec_a|each[3]/n|0|1|0|node_skipped',
      stream: 'exec_a',
      timestamp: '2026-01-05T12:00:00.123Z',
      mode: 'paper',
      execution_id: 'exec_a',
      workflow_id: 'a',
      graph_version: 'v1',
      bot_id: 'bot',
      node_id: 'n',
      node_type: 'constant',
      frame: 'each[3]',
      generation: 0,
      type: 'node_skipped',
      reason: 'x',
    });
    expect(key).toBe('each[3]/n');
    expect(nodeKey('', 'n')).toBe('n');
  });
});

describe('what a desk tells', () => {
  const changed: Omit<EmergencyStateChanged, 'sealed'> = {
    type: 'emergency_state_changed',
    ...{ controller_id: 'b', scope: 'bot:b', reason: 'odd prices', actor: 'ann', desk_epoch: 7 },
    previous_state: 'normal',
    new_state: 'halt',
  };

  it('of a seal stands behind the change it belongs to, under an id of its own', () => {
    const change = emergencyEvent('d', 'paper', { ...changed, sealed: false }, 1);
    const seal = emergencyEvent('d', 'paper', { ...changed, sealed: true }, 2);
    expect(change).toMatchObject({ key: 'bot:b', precedence: [7, 0, 0, 0], event: { event_id: 'desk/d|7' } });
    expect(seal).toMatchObject({ key: 'bot:b', precedence: [7, 0, 0, 1], event: { event_id: 'desk/d|7|sealed' } });
    expect(emergencyEvent('d', 'paper', { ...changed, scope: 'global', sealed: false }, 1)).not.toHaveProperty('key');
  });

  it('of figures is told once a second and owner', () => {
    const figures = {
      ...{ realized_pnl: '0', unrealized_pnl: '0', equity: '0', drawdown_percent: '0', exposure: '0', fees: '0' },
      ...{ orders: 0, fills: 0, win_rate: null, executions: 0, failures: 0, mean_duration_ms: null, window: '1d' },
    };
    const idOf = (type: 'bot_metrics' | 'strategy_metrics', owner: object, at: number) =>
      metricsEvent('d', owner, { type, ...figures } as never, at).event.event_id;
    expect(idOf('bot_metrics', { bot_id: 'b' }, 1_200)).toBe('metrics/d|bot_metrics|b|1');
    expect(idOf('bot_metrics', { bot_id: 'b' }, 1_900)).toBe('metrics/d|bot_metrics|b|1');
    expect(idOf('strategy_metrics', { strategy_id: 's' }, 2_000)).toBe('metrics/d|strategy_metrics|s|2');
  });
});
