import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { circuitEvent } from '../../src/events/build';
import type { CircuitState } from '../../src/events/envelope';
import { logEvent } from '../../src/worker/event-lines';

/** The lines an event makes, without what every line has. */
function linesOf(event: Parameters<typeof logEvent>[1]): unknown[] {
  const lines: unknown[] = [];
  const formatters = { level: (level: string) => ({ level }) };
  const log = pino(
    { base: null, timestamp: false, formatters },
    { write: (text) => void lines.push(JSON.parse(text)) },
  );
  logEvent(log, event);
  return lines;
}

describe('the log line of a circuit breaker’s change', () => {
  it.each<[CircuitState, CircuitState, string, string]>([
    ['closed', 'open', 'circuit_breaker_opened', 'warn'],
    ['open', 'half_open', 'circuit_breaker_half_open', 'info'],
    ['half_open', 'closed', 'circuit_breaker_closed', 'info'],
  ])('from %s to %s is %s', (previous_state, new_state, msg, level) => {
    const place = {
      execution_id: 'exec_a',
      workflow_id: 'a',
      bot_id: 'bot',
      mode: 'paper',
      node_id: 'n',
      node_type: 'ticker',
      frame: '',
    } as const;
    const fact = { type: 'circuit_state_changed', resource: 'binance', previous_state, new_state } as const;
    const { event } = circuitEvent(place, fact, { worker_id: 'w', ordinal: 1 }, 0);
    const correlation = { execution_id: 'exec_a', workflow_id: 'a', bot_id: 'bot', node_id: 'n', node_type: 'ticker' };
    expect(linesOf(event)).toEqual([{ level, ...correlation, resource: 'binance', previous_state, msg }]);
  });
});
