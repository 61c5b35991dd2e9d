import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OrderWaker } from '../../src/worker/order-waker';
import type { LookAgain } from '../../src/workflows/messages';
import { nodeContext } from '../support/node-context';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** One dispatch that ended while its order was open. */
function kept(wake: (id: string, look: LookAgain) => Promise<void> = () => Promise.resolve()) {
  const told: [string, LookAgain][] = [];
  const errors: string[] = [];
  let heard: (() => void) | undefined;
  const waker = new OrderWaker({
    wake: (id, look) => {
      told.push([id, look]);
      return wake(id, look);
    },
    onError: (error) => errors.push(error),
  });
  const { task } = nodeContext();
  waker.keepWatch(
    { ...task, execution_id: 'exec_a', frame: 'each[3]', node_id: 'order', dispatch: 4 },
    {
      retry_in_ms: 1_000,
      wake: (look) => {
        heard = look;
        return () => {
          heard = undefined;
        };
      },
    },
  );
  return { told, errors, hear: () => heard?.(), isListening: () => heard !== undefined };
}

describe('an order whose node is held back', () => {
  it('has its node looked at when its venue says that it has ended', () => {
    const { told, hear } = kept();
    hear();
    expect(told).toEqual([['exec_a', { node: 'each[3]/order', dispatch: 4 }]]);
  });

  it('is listened for until the node is handed out by itself', () => {
    const { told, isListening } = kept();
    jest.advanceTimersByTime(999);
    expect(isListening()).toBe(true);
    jest.advanceTimersByTime(1);
    expect([isListening(), told]).toEqual([false, []]);
  });

  it('is none the worse when the word is not taken', async () => {
    const { errors, hear } = kept(() => Promise.reject(new Error('it has ended')));
    hear();
    await jest.advanceTimersByTimeAsync(0);
    expect(errors).toEqual(['it has ended']);
  });
});

it('an order at a venue that says nothing is not listened for', () => {
  const waker = new OrderWaker({ wake: () => Promise.resolve(), onError: () => undefined });
  waker.keepWatch(nodeContext().task, { retry_in_ms: 1_000, wake: undefined });
  expect(jest.getTimerCount()).toBe(0);
});
