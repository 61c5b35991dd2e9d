import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Closing } from '../../src/emergency/closing';
import { HoldfastError } from '../../src/errors';
import { GateKeeper } from '../../src/worker/gate-keeper';
import { held, ScriptedDesk } from '../support/scripted-desk';

const closing = (rest: Partial<Closing> = {}): Closing => ({
  ...{ v: 1, desk: 'default', scope: 'global', state: 'halt', command_id: 'c1', reason: 'drill', actor: 'kim' },
  ...{ issued_at: 0 },
  ...rest,
});

let desk: ScriptedDesk;
let keeper: GateKeeper;
let errors: unknown[];

const isOpen = () => keeper.mayTrade([]).open;
/** Redis answers once a second. */
const pass = async (ms: number) => {
  for (let left = ms; left > 0; left -= 1_000) {
    keeper.onBeat();
    await jest.advanceTimersByTimeAsync(Math.min(left, 1_000));
  }
};
const settled = () => jest.advanceTimersByTimeAsync(0);

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick', 'performance'] });
  desk = new ScriptedDesk();
  errors = [];
  keeper = new GateKeeper({ port: desk, now: Date.now, onError: (error) => errors.push(error) });
  keeper.onLive();
  await settled();
});
afterEach(() => {
  keeper.close();
  jest.useRealTimers();
});

describe('the keeper of a gate', () => {
  it('reads the desk as soon as closings are heard, and opens by its answer', () => {
    expect([isOpen(), desk.reads]).toEqual([true, 1]);
  });

  it('waits two seconds for Redis before the first reading, and then goes without', async () => {
    const alone = new GateKeeper({ port: desk, now: Date.now });
    await jest.advanceTimersByTimeAsync(1_999);
    expect([alone.mayTrade([]).open, desk.reads]).toEqual([false, 1]);
    await jest.advanceTimersByTimeAsync(1);
    expect(alone.mayTrade([]).open).toBe(true);
    alone.close();
  });

  it('asks for the command of a closing until the desk knows it, and then follows the desk', async () => {
    keeper.onClosing(closing());
    expect(isOpen()).toBe(false);
    await pass(300);
    expect(isOpen()).toBe(false);
    desk.known.add('c1');
    await pass(500);
    expect(isOpen()).toBe(true);
    await pass(2_000);
    expect(desk.delivered).toEqual([]);
  });

  it('delivers the command itself when the desk does not know it after a second', async () => {
    keeper.onClosing(closing({ scope: 'bot:a', cancel_open: true }));
    await pass(999);
    expect(desk.delivered).toEqual([]);
    await pass(1);
    const command = { action: 'halt', scope: 'bot:a', command_id: 'c1', reason: 'drill', actor: 'kim' };
    expect(desk.delivered).toEqual([{ ...command, cancel_open: true }]);
    expect(keeper.mayTrade(['bot:a'])).toMatchObject({ open: false, scope: 'bot:a', epoch: 1_001 });
    expect(isOpen()).toBe(true);
    desk.resume('bot:a');
    await pass(2_000);
    expect(keeper.mayTrade(['bot:a']).open).toBe(true);
  });

  it('stays closed while the desk can be neither read nor told, and tells it once it can', async () => {
    [desk.beforeRead, desk.beforeDelivery] = [null, null];
    keeper.onClosing(closing());
    await pass(10_000);
    expect(isOpen()).toBe(false);
    expect(errors.length).toBeLessThan(40);
    [desk.beforeRead, desk.beforeDelivery] = [() => Promise.resolve(), () => Promise.resolve()];
    await pass(2_000);
    expect(desk.delivered).toHaveLength(1);
    expect(keeper.mayTrade([])).toMatchObject({ open: false, reason: 'drill', epoch: 1_001 });
  });

  it('takes a refusal of the command for the desk’s decision, and opens by its answer', async () => {
    desk.beforeDelivery = () => Promise.reject(new HoldfastError('UnknownScope', 'no such bot'));
    keeper.onClosing(closing());
    await pass(1_100);
    expect([isOpen(), desk.delivered]).toEqual([true, []]);
  });

  it('is not opened by a reading that was under way when the closing came', async () => {
    const { wait, release } = held();
    desk.beforeRead = wait;
    keeper.refresh();
    await settled();
    desk.known.add('c1');
    desk.halt('global');
    keeper.onClosing(closing());
    desk.beforeRead = () => Promise.resolve();
    release();
    await pass(500);
    expect(keeper.mayTrade([])).toMatchObject({ open: false, epoch: 1_001 });
  });

  it('closes at a gap and opens with the next reading, though Redis is still away', async () => {
    const { wait, release } = held();
    desk.beforeRead = wait;
    keeper.onGap();
    await settled();
    expect(isOpen()).toBe(false);
    release();
    await settled();
    expect(isOpen()).toBe(true);
  });

  it('notices at the moment of use that Redis has been silent for three seconds, however late its own timers are', async () => {
    keeper.onBeat();
    desk.beforeRead = null;
    await jest.advanceTimersByTimeAsync(3_000);
    expect(isOpen()).toBe(true);
    await jest.advanceTimersByTimeAsync(1);
    expect(isOpen()).toBe(false);
  });

  it('without Redis reads the desk every second, and closes when it has had no answer for three', async () => {
    keeper.onGap();
    await settled();
    const before = desk.reads;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(desk.reads - before).toBe(10);
    expect(isOpen()).toBe(true);
    desk.beforeRead = null;
    await jest.advanceTimersByTimeAsync(4_100);
    expect(isOpen()).toBe(false);
  });

  it('finds a halt that nobody announced within five seconds, and its end within one', async () => {
    desk.halt('global');
    await pass(5_000);
    expect(isOpen()).toBe(false);
    desk.resume('global');
    await pass(1_000);
    expect(isOpen()).toBe(true);
  });

  it('reads a desk at rest every five seconds and no more', async () => {
    const before = desk.reads;
    await pass(60_000);
    expect(desk.reads - before).toBe(12);
  });

  it('does nothing more once it is closed', async () => {
    keeper.onClosing(closing());
    keeper.close();
    await settled();
    const before = desk.reads;
    await jest.advanceTimersByTimeAsync(10_000);
    expect([desk.reads, desk.delivered]).toEqual([before, []]);
  });
});
