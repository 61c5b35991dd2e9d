import { describe, expect, it } from '@jest/globals';
import { lineOf } from '../../src/cli/event-stream';
import type { Ui } from '../../src/cli/io';
import type { EventEnvelope } from '../../src/events/envelope';

const ui = { paint: (_tone: string, text: string) => text } as unknown as Ui;
const envelope = {
  ...{ v: 1, event_id: 'e', stream: 'metrics/default', log_epoch: '1-a-1', seq: 1 },
  ...{ timestamp: '2026-01-05T12:00:00.123Z', mode: 'paper' },
};
const line = (event: object) => lineOf({ ...envelope, ...event } as unknown as EventEnvelope, ui).replace(/ +/g, ' ');

describe('a line of the stream', () => {
  const order = { side: 'buy', symbol: 'BTC/USDT', venue: 'paper_bybit', filled_quantity: '0.5' };

  it('says of an order what it is and how much of it was filled', () => {
    expect(line({ type: 'order_filled', workflow_id: 'arb', order: { ...order, quantity: '2', price: '17000' } })).toBe(
      '12:00:00.123 arb order_filled buy 0.5 of 2 BTC/USDT at 17000, paper_bybit',
    );
    expect(line({ type: 'order_partially_filled', bot_id: 'b', order })).toBe(
      '12:00:00.123 b order_partially_filled buy 0.5 BTC/USDT, paper_bybit',
    );
  });

  it('says whose metrics they are', () => {
    const metrics = { realized_pnl: '-1.5', unrealized_pnl: '2' };
    expect(line({ type: 'bot_metrics', bot_id: 'bot_001', ...metrics })).toBe(
      '12:00:00.123 bot_001 bot_metrics realized -1.5, unrealized 2',
    );
    expect(line({ type: 'strategy_metrics', strategy_id: 'arb', ...metrics })).toContain('arb strategy_metrics');
  });

  it('says of a node how long it took, and of anything else why', () => {
    expect(line({ type: 'node_completed', workflow_id: 'w', node_id: 'n', duration_ms: 3.2, outputs: {} })).toMatch(
      /^12:00:00.123 w node_completed n 3 ms/,
    );
    expect(line({ type: 'node_failed', node_id: 'n', error: 'e', error_type: 'TimeoutError' })).toContain(
      'TimeoutError: e',
    );
    expect(line({ type: 'node_skipped', node_id: 'n', reason: 'r' })).toMatch(/ r$/);
    expect(line({ type: 'node_started', node_id: 'n' })).toBe('12:00:00.123 metrics/default node_started n');
  });
});
