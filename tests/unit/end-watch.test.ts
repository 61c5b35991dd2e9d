/** Two looks at an order that rests: the venue's own word only brings the second one forward. */
import { describe, expect, it } from '@jest/globals';
import { OrderPending } from '../../src/activities/order-pending';
import { EndWatch } from '../../src/activities/orders/end-watch';
import { OrderWorld } from '../support/order-world';
import { until } from '../support/until';

/** Longer than a test may last. */
const NEVER_MS = 600_000;
const ID = 'order-1';

/** A venue that is listened to. */
function telling() {
  const watchers = new Map<string, () => void>();
  return {
    watchers,
    watchEnd: (id: string, heard: () => void) => {
      watchers.set(id, heard);
      return () => {
        watchers.delete(id);
      };
    },
  };
}

describe('a pause between two looks', () => {
  const signal = new AbortController().signal;

  it('ends when the venue says that the order has ended', async () => {
    const venue = telling();
    const watch = new EndWatch(venue);
    const pause = watch.pause(ID, NEVER_MS, signal);
    venue.watchers.get(ID)?.();
    expect(await pause).toBe(true);
    watch.close();
    expect(venue.watchers.size).toBe(0);
  });

  it('is not begun when that was said during the look before it', async () => {
    const venue = telling();
    const watch = new EndWatch(venue);
    await watch.pause(ID, 1, signal);
    venue.watchers.get(ID)?.();
    expect(watch.isDue).toBe(true);
    expect(await watch.pause(ID, NEVER_MS, signal)).toBe(true);
    expect([watch.isDue, watch.hasHeard]).toEqual([false, true]);
  });

  it('takes its time again once that was looked at, so a venue that shows an order open for longer is not asked without pause', async () => {
    const venue = telling();
    const watch = new EndWatch(venue);
    const first = watch.pause(ID, NEVER_MS, signal);
    venue.watchers.get(ID)?.();
    await first;
    expect(await watch.pause(ID, 1, signal)).toBe(false);
  });

  it('takes its time at a venue that says nothing', async () => {
    expect(await new EndWatch({}).pause(ID, 1, signal)).toBe(false);
  });

  it('ends with the node', async () => {
    const node = new AbortController();
    const pause = new EndWatch(telling()).pause(ID, NEVER_MS, node.signal);
    node.abort(new Error('the time of the node is over'));
    await expect(pause).rejects.toThrow();
  });
});

describe('an order that rests', () => {
  const at = { venue: 'a', symbol: 'BTC/USDT', side: 'buy', quantity: '1', price: '99' };

  /** Its venue says by itself that orders have ended, and how often it was asked. */
  function listening() {
    const world = new OrderWorld();
    const { trading } = world.a;
    const { watchers, watchEnd } = telling();
    trading.fates.push('rests');
    let looks = 0;
    const find = trading.find.bind(trading);
    trading.find = (order) => {
      looks += 1;
      return find(order);
    };
    Object.assign(trading, { watchEnd });
    return { world, trading, watchers, looks: () => looks };
  }

  it('is looked at once more when its venue says that it has ended, whatever the venue says is read', async () => {
    const { world, trading, watchers, looks } = listening();
    const running = world.run('limit_order', at);
    await until('it is listened to', () => watchers.size === 1);
    const before = looks();
    const [id, heard] = [...watchers][0]!;
    trading.change(id, { status: 'filled', filled_quantity: '1', filled_notional: '99' });
    heard();
    expect(await running).toMatchObject({ branch: 'filled', outputs: { filled_notional: '99' } });
    expect(looks()).toBe(before + 1);
    expect(watchers.size).toBe(0);
  });

  it('that its venue calls ended and shows open is open, and its node asks for a short pause', async () => {
    const { world, watchers } = listening();
    Object.assign(world.a.trading, { look_every_ms: NEVER_MS });
    const running = world.run('limit_order', at).catch((error: unknown) => error);
    await until('it is listened to', () => watchers.size === 1);
    [...watchers.values()][0]?.();
    const pending = await running;
    expect(pending).toBeInstanceOf(OrderPending);
    expect((pending as OrderPending).retry_in_ms).toBe(1_000);
  });

  it('is left alone for as long as its venue says, and whoever keeps watch meanwhile hears of its end', async () => {
    const { world, watchers } = listening();
    Object.assign(world.a.trading, { look_every_ms: NEVER_MS });
    const pending = (await world.run('limit_order', at).catch((error: unknown) => error)) as OrderPending;
    expect(pending).toBeInstanceOf(OrderPending);
    expect(pending.retry_in_ms).toBe(NEVER_MS);
    expect(watchers.size).toBe(0);
    let looks = 0;
    const stop = pending.wake?.(() => (looks += 1));
    [...watchers.values()][0]?.();
    expect(looks).toBe(1);
    stop?.();
    expect(watchers.size).toBe(0);
  });
});
