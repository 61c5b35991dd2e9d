import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { PermitAnswer, PermitRequest } from '../../src/emergency/model';
import { HoldfastError } from '../../src/errors';
import { Gate } from '../../src/worker/gate';
import { Permit } from '../../src/worker/permit';
import { MOST_PER_UPDATE, PermitDesk } from '../../src/worker/permits';
import { held, ScriptedDesk } from '../support/scripted-desk';

const order = (permit_id: string, rest: Partial<PermitRequest> = {}): PermitRequest => ({
  ...{ permit_id, account: 'main', venue: 'paper', symbol: 'BTC/USDT', side: 'buy', quantity: '1', price: '100' },
  ...{ currency: 'USDT', execution_id: 'exec_1' },
  ...rest,
});

let desk: ScriptedDesk;
let gate: Gate;
let permits: PermitDesk;

const learn = () => {
  gate.learn(desk.reading(), gate.ask());
};
/** Lets everything happen that needs no time. */
const settled = () => jest.advanceTimersByTimeAsync(0);
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'granted',
    (error: unknown) => (error instanceof HoldfastError ? error.code : error),
  );

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick', 'performance'] });
  desk = new ScriptedDesk();
  gate = new Gate();
  gate.listening();
  learn();
  permits = new PermitDesk({ port: desk, gate, now: Date.now });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('permits of one worker', () => {
  it('has one update in flight, and sends what gathers meanwhile as the next, settlements with the requests', async () => {
    const { wait, release } = held();
    desk.beforePermits = wait;
    const first = permits.request(order('p0'));
    await settled();
    const others = Array.from({ length: 5 }, (_, i) => permits.request(order(`q${i}`)));
    permits.settle({ permit_id: 'old', outcome: 'acknowledged' });
    await settled();
    expect(desk.batches).toHaveLength(1);
    release();
    await Promise.all([first, ...others]);
    expect(desk.batches.map(({ requests, settlements }) => [requests.length, settlements.length])).toEqual([
      [1, 0],
      [5, 1],
    ]);
  });

  it('never lets a request wait for settlements alone, and tells those in the order they were given', async () => {
    const { wait, release } = held();
    desk.beforePermits = wait;
    permits.settle({ permit_id: 's0', outcome: 'unused' });
    await settled();
    permits.settle({ permit_id: 's1', outcome: 'unused' });
    desk.beforePermits = () => Promise.resolve();
    expect((await permits.request(order('p'))).permit_id).toBe('p');
    expect(desk.settlements).toEqual([]);
    release();
    await settled();
    expect(desk.settlements.map(({ permit_id }) => permit_id)).toEqual(['s0', 's1']);
    expect(permits.unsettled).toBe(0);
  });

  it('never puts more than 200 into an update, and starves neither requests nor settlements', async () => {
    const { wait, release } = held();
    desk.beforePermits = wait;
    const asked = Array.from({ length: 450 }, (_, i) => permits.request(order(`p${i}`)));
    for (let i = 0; i < 450; i++) permits.settle({ permit_id: `s${i}`, outcome: 'unused' });
    release();
    await Promise.all(asked);
    await settled();
    const sizes = desk.batches.map(({ requests, settlements }) => requests.length + settlements.length);
    expect(Math.max(...sizes)).toBe(MOST_PER_UPDATE);
    expect(desk.batches[0]).toMatchObject({ requests: { length: 100 }, settlements: { length: 100 } });
    expect(desk.settlements.map(({ permit_id }) => permit_id)).toEqual(Array.from({ length: 450 }, (_, i) => `s${i}`));
    expect(permits.unsettled).toBe(0);
  });

  it('says no after half a second, and settles as unused what is granted later', async () => {
    const { wait, release } = held();
    desk.beforePermits = wait;
    const code = codeOf(permits.request(order('late')));
    await jest.advanceTimersByTimeAsync(500);
    expect(await code).toBe('EmergencyUnreachable');
    desk.beforePermits = () => Promise.resolve();
    release();
    await settled();
    expect(desk.settlements).toEqual([{ permit_id: 'late', outcome: 'unused' }]);
  });

  it('goes on with the next update when one is not answered within half a second', async () => {
    desk.beforePermits = held().wait;
    const hung = codeOf(permits.request(order('hung')));
    await jest.advanceTimersByTimeAsync(499);
    desk.beforePermits = () => Promise.resolve();
    const next = permits.request(order('next'));
    await jest.advanceTimersByTimeAsync(1);
    expect((await next).permit_id).toBe('next');
    expect(await hung).toBe('EmergencyUnreachable');
  });

  it('counts the lifetime from the moment the request was first sent, not from the answer', async () => {
    const { wait, release } = held();
    desk.beforePermits = wait;
    const asked = permits.request(order('p'));
    await jest.advanceTimersByTimeAsync(400);
    release();
    const permit = await asked;
    expect(permit.remainingMs()).toBe(600);
    await jest.advanceTimersByTimeAsync(599);
    expect(permit.remainingMs()).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(() => {
      permit.assertUsable();
    }).toThrow(/not used within its lifetime/);
    await settled();
    expect(desk.settlements).toEqual([{ permit_id: 'p', outcome: 'unused' }]);
  });

  it('does not ask the desk where the gate is closed, but for what may reduce', async () => {
    desk.halt('symbol:BTC/USDT');
    learn();
    expect(await codeOf(permits.request(order('p')))).toBe('EmergencyHalted');
    expect(desk.batches).toHaveLength(0);
    expect(await codeOf(permits.request(order('q', { symbol: 'ETH/USDT' })))).toBe('granted');
    expect(await codeOf(permits.request(order('r', { purpose: 'on_halt' })))).toBe('granted');
  });

  it('passes a denial on with its code', async () => {
    desk.answer = (permit_id): PermitAnswer => ({ permit_id, granted: false, code: 'LimitExceeded', message: 'no' });
    await expect(permits.request(order('p'))).rejects.toMatchObject({ code: 'LimitExceeded', message: 'no' });
  });

  it('asks a busy desk again until the deadline, and the lifetime still runs from the first time', async () => {
    let times = 0;
    const grant = desk.answer.bind(desk);
    desk.answer = (permit_id) =>
      ++times < 4 ? { permit_id, granted: false, code: 'DeskBusy', message: 'full' } : grant(permit_id);
    const asked = permits.request(order('p'));
    await jest.advanceTimersByTimeAsync(150);
    expect((await asked).remainingMs()).toBe(850);
    times = -100;
    const never = codeOf(permits.request(order('q')));
    await jest.advanceTimersByTimeAsync(500);
    expect(await never).toBe('DeskBusy');
  });

  it('says no when the update fails, and tells the desk that whatever it granted is unused, until it hears it', async () => {
    desk.beforePermits = null;
    const code = codeOf(permits.request(order('p')));
    permits.settle({ permit_id: 'old', outcome: 'closed', filled_quantity: '1' });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await code).toBe('EmergencyUnreachable');
    expect([permits.unsettled, desk.settlements]).toEqual([2, []]);
    desk.beforePermits = () => Promise.resolve();
    await jest.advanceTimersByTimeAsync(250);
    expect(desk.settlements).toEqual([
      { permit_id: 'old', outcome: 'closed', filled_quantity: '1' },
      { permit_id: 'p', outcome: 'unused' },
    ]);
    expect(permits.unsettled).toBe(0);
  });

  it('tells what is left when it closes, and gives up at the deadline', async () => {
    permits.settle({ permit_id: 'p', outcome: 'acknowledged' });
    const closing = permits.close();
    await jest.advanceTimersByTimeAsync(10);
    expect(await closing).toBe(0);
    expect(desk.settlements).toHaveLength(1);
    desk.beforePermits = null;
    permits.settle({ permit_id: 'q', outcome: 'unused' });
    const futile = permits.close({ deadline_ms: 100 });
    await jest.advanceTimersByTimeAsync(200);
    expect(await futile).toBe(1);
  });
});

describe('a permit', () => {
  const take = async (rest: Partial<PermitRequest> = {}) => {
    const asked = permits.request(order('p', rest));
    await settled();
    return asked;
  };
  const use = (permit: Permit) => () => {
    permit.assertUsable();
  };

  it('is good for one request', async () => {
    const permit = await take();
    permit.assertUsable();
    expect(use(permit)).toThrow(/was used for a request before/);
    permit.settle('acknowledged');
    permit.settle('closed', '1');
    permit.settle('closed', '1');
    permit.settle('unused');
    await settled();
    expect(desk.settlements).toEqual([
      { permit_id: 'p', outcome: 'acknowledged' },
      { permit_id: 'p', outcome: 'closed', filled_quantity: '1' },
    ]);
  });

  it('cannot be called unused once it was used, and cannot be used once it was called unused', async () => {
    const used = await take();
    used.assertUsable();
    used.settle('unused');
    await settled();
    expect(desk.settlements).toEqual([]);
    const unused = await take({ symbol: 'ETH/USDT' });
    unused.settle('unused');
    expect(use(unused)).toThrow(/settled as unused/);
    await settled();
    expect(desk.settlements).toEqual([{ permit_id: 'p', outcome: 'unused' }]);
  });

  it.each(['global', 'venue:paper', 'symbol:BTC/USDT', 'bot:b', 'strategy:s'])(
    'is of no use once a closing of %s was heard, and for ever after',
    async (scope) => {
      const permit = await take({ bot_id: 'b', strategy_id: 's' });
      const other = await take({ bot_id: 'b', strategy_id: 's' });
      const closing = { v: 1, desk: 'd', scope, state: 'halt', command_id: 'c', reason: 'r', actor: 'a' } as const;
      gate.close({ ...closing, issued_at: 0 });
      expect(use(permit)).toThrow(/is closed: r/);
      desk.halt(scope, 'c');
      desk.resume(scope);
      gate.learn(desk.reading(['c']), gate.ask());
      expect(gate.mayTrade([scope]).open).toBe(true);
      expect(use(permit)).toThrow(/is closed: r/);
      expect(use(other)).toThrow(/halted after permit p was granted/);
    },
  );

  it('that was asked for after a halt is of use after the resume', async () => {
    desk.halt('global');
    learn();
    desk.resume('global');
    learn();
    const permit = await take();
    expect(use(permit)).not.toThrow();
  });

  it('of an order that increases is stopped by a halt whatever its purpose; one that reduces is not', async () => {
    const increasing = await take({ purpose: 'on_halt' });
    desk.halt('global');
    learn();
    expect(use(increasing)).toThrow(/global is closed/);
    const grant = desk.answer.bind(desk);
    desk.answer = (id): PermitAnswer => ({ ...grant(id), reduces: true }) as PermitAnswer;
    const reducing = await take({ purpose: 'on_halt' });
    expect(use(reducing)).not.toThrow();
  });

  it('is never usable after a halt of one of its scopes with a later epoch was learned', () => {
    const scopes = ['global', 'venue:paper', 'symbol:BTC/USDT', 'bot:b'] as const;
    const step = fc.record({ scope: fc.constantFrom(...scopes), does: fc.constantFrom('halt', 'resume', 'unseen') });
    const steps = fc.array(step, { maxLength: 10 });
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const mine = new Gate();
        const theirs = new ScriptedDesk();
        const follow = ({ scope, does }: { scope: string; does: string }): void => {
          if (does === 'resume') theirs.resume(scope);
          else theirs.halt(scope);
          if (does !== 'unseen') mine.learn(theirs.reading(), mine.ask());
        };
        mine.listening();
        mine.learn(theirs.reading(), mine.ask());
        before.forEach(follow);
        const grant = { permit_id: 'p', granted: true, epoch: theirs.epoch, lifetime_ms: 1e9, reduces: false } as const;
        const permit = new Permit(order('p', { bot_id: 'b' }), grant, 0, { gate: mine, settle: () => undefined });
        after.forEach(follow);
        const halted = after.findIndex(({ does }) => does !== 'resume');
        const isLearned = halted >= 0 && after.slice(halted).some(({ does }) => does !== 'unseen');
        if (isLearned) expect(use(permit)).toThrow();
        else if (before.length === 0 && after.length === 0) expect(use(permit)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});
