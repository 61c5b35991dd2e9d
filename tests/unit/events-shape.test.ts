import { describe, expect, it } from '@jest/globals';
import {
  cancelsEvent,
  circuitEvent,
  emergencyEvent,
  metricsEvent,
  orderEvent,
  riskEvent,
} from '../../src/events/build';
import type { Publication } from '../../src/events/build';
import { isEvent } from '../../src/events/shape';
import { AT, completed, context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';

const of = context('exec_1');
const place = { ...of, node_id: 'a', node_type: 'constant', frame: 'each[1]' };
const whom = { controller_id: 'global', scope: 'global' } as const;
const figures = { realized_pnl: '1', fees: '0', unrealized_pnl: '0', exposure: '0', orders: 1, fills: 1 } as const;
const order = {
  ...{
    order_id: 'o',
    permit_id: 'p',
    account: 'main',
    venue: 'paper',
    symbol: 'BTC/USDT',
    side: 'buy' as const,
    currency: 'USDT',
  },
  ...{ status: 'open', filled_quantity: '0', filled_notional: '0', fees: '0' },
} as const;

const told: readonly Publication[] = [
  started(of),
  completed(of),
  node(of, 'a', nodeStarted),
  node(of, 'a', nodeCompleted),
  node(of, 'a', { type: 'node_retrying', error: 'x', error_type: 'ConnectionError', next_attempt_ms: 5 }),
  node(of, 'a', { type: 'node_failed', error: 'x', error_type: 'ConnectionError', duration_ms: 0.5 }),
  node(of, 'a', { type: 'node_skipped', reason: 'a branch' }),
  node(of, 'a', { type: 'approval_requested', deadline: '2026-01-05T12:00:00.000Z', approvers: ['ann'] }),
  node(of, 'a', { type: 'approval_given', actor: 'ann', decision: 'approved' }),
  circuitEvent(
    place,
    { type: 'circuit_state_changed', resource: 'paper', previous_state: 'closed', new_state: 'open' },
    ...([{ worker_id: 'w', ordinal: 1 }, AT] as const),
  ),
  emergencyEvent(
    ...(['default', 'paper'] as const),
    {
      ...{ type: 'emergency_state_changed', ...whom, previous_state: 'normal', new_state: 'halt', reason: 'fire' },
      ...{ actor: 'ann', desk_epoch: 7, sealed: true },
    } as never,
    AT,
  ),
  cancelsEvent(
    'default',
    {
      ...{
        type: 'open_orders_cancelled',
        ...whom,
        actor: 'ann',
        reason: 'fire',
        cancelled: 1,
        filled: 0,
        not_found: 0,
      },
      ...{ spared: 0, unreachable: ['paper main'] },
    },
    ...(['7', AT] as const),
  ),
  riskEvent(
    ...(['default', 'paper'] as const),
    {
      ...{ type: 'risk_limit_update', ...whom, limit: 'daily_loss', used: '1', allowed: '2', utilization: '0.5' },
      desk_epoch: 7,
    },
    AT,
  ),
  orderEvent('default', of, { type: 'order_submitted', order, phase: 'submitted' }, AT),
  orderEvent('default', {}, { type: 'order_unknown', order, phase: 'unknown' }, AT),
  metricsEvent(
    'default',
    { bot_id: 'bot_001' },
    { type: 'bot_metrics', window: '24h', ...figures, executions: 1, failures: 0, mean_duration_ms: 12 },
    AT,
  ),
];
const numbered = told.map(({ event }): Record<string, unknown> => ({
  ...event,
  log_epoch: '1-863e636c-1795493522',
  seq: 7,
}));
const [sample = {}] = numbered;

describe('the shape of an event', () => {
  it.each(numbered.map((event) => [event['type'], event]))('is that of %s as it comes out of the log', (_, event) => {
    expect(isEvent(JSON.parse(JSON.stringify(event)))).toBe(true);
  });

  it('lets pass what a newer build may say', () => {
    expect(isEvent({ ...sample, type: 'node_paused', until: 7 })).toBe(true);
  });

  it.each([
    ['no object', 7],
    ['null', null],
    ['a list', [sample]],
    ['another version', { ...sample, v: 2 }],
    ['no version', { ...sample, v: undefined }],
    ['no id', { ...sample, event_id: '' }],
    ['an id that is no text', { ...sample, event_id: 7 }],
    ['an id as long as a book', { ...sample, event_id: 'x'.repeat(4_001) }],
    ['no time', { ...sample, timestamp: 'soon' }],
    ['an unknown mode', { ...sample, mode: 'both' }],
    ['a type that is no name', { ...sample, type: 'Node started!' }],
    ['an epoch nobody could compare', { ...sample, log_epoch: 'zzz' }],
    ['no number', { ...sample, seq: '7' }],
    ['a number before the first', { ...sample, seq: 0 }],
    ['half a number', { ...sample, seq: 1.5 }],
    ['a number beyond counting', { ...sample, seq: 2 ** 60 }],
    ['another execution’s stream', { ...sample, stream: 'exec_2' }],
    ['a scope that is no text', { ...sample, scope: { toString: 'global' } }],
    ['a flag that is none', { ...sample, sealed: 'no' }],
    ['names that are none', { ...sample, approvers: ['ann', 7] }],
    ['names that are no list', { ...sample, approvers: 'ann' }],
    ['an order that is none', { ...sample, order: 'all' }],
    ['a duration without end', { ...sample, duration_ms: Infinity }],
    ['a field every object has', { ...sample, constructor: { name: 'x' } }],
    ['a prototype', JSON.parse(`{"__proto__":{"seq":1},${JSON.stringify(sample).slice(1)}`)],
  ])('is refused with %s', (_, value) => {
    expect(isEvent(value)).toBe(false);
  });

  it.each(['event_id', 'stream', 'log_epoch', 'seq', 'type', 'timestamp', 'mode', 'v'])(
    'is refused without %s',
    (name) => {
      expect(isEvent(Object.fromEntries(Object.entries(sample).filter(([each]) => each !== name)))).toBe(false);
    },
  );
});
