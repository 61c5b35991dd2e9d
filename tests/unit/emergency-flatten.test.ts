/** What is to be closed of a scope, and what is said of it. */
import { describe, expect, it } from '@jest/globals';
import { figuresOf } from '../../src/emergency/figures';
import {
  closingKey,
  closingTargets,
  FlattenLedger,
  obstacleTo,
  targetKey,
  type ClosingTarget,
} from '../../src/emergency/flatten';
import type { OrderFact } from '../../src/emergency/model';
import { orderEvents } from '../../src/emergency/order-events';
import { statusOf } from '../../src/emergency/status';
import { DeskAtWork, orderRequest } from '../support/desk-at-work';

const flatten = (over: Readonly<Record<string, unknown>> = {}) => ({
  ...{ action: 'flatten', scope: 'global', confirm: 'global' },
  ...over,
});

/** `side quantity bot strategy` of what would be closed of a scope. */
function planned(desk: DeskAtWork, scope: string): string[] {
  const { positions } = figuresOf(desk.state, desk.now);
  return closingTargets(scope, positions).map(({ side, quantity, bot_id = '-', strategy_id = '-' }) =>
    [side, quantity, bot_id, strategy_id].join(' '),
  );
}

const bought = (quantity: string, over: Readonly<Record<string, unknown>> = {}) => ({
  ...{ filled_quantity: quantity, filled_notional: '100', ...over },
});

describe('the command flatten', () => {
  it('stays within the narrowest collar where nobody says how far an order may slip', () => {
    const desk = new DeskAtWork();
    desk.limits({ price_collar_percent: '12' });
    const slips = (over = {}) => {
      desk.command(flatten(over));
      return desk.effects.flatMap((effect) => (effect.kind === 'flatten' ? [effect.order.max_slippage_percent] : []));
    };
    expect(slips()).toEqual([undefined]);
    desk.limits({ price_collar_percent: '2' });
    desk.limits({ price_collar_percent: '0.5' }, 'symbol:BTC/USDT');
    expect(slips()).toEqual(['0.5']);
    expect(slips({ max_slippage_percent: '4' })).toEqual(['4']);
  });

  it('takes an epoch of its own, is recorded, and is to be carried out once', () => {
    const desk = new DeskAtWork();
    const { epoch } = desk.state;
    const command = flatten({ command_id: 'f-1', max_slippage_percent: '5' });
    const answer = desk.command(command);
    expect(answer).toEqual({ ok: true, scope: 'global', state: 'normal', epoch: epoch + 1 });
    const order = { scope: 'global', epoch: epoch + 1, reason: 'because', actor: 'ann', command_id: 'f-1' };
    expect(desk.effects).toEqual([
      { kind: 'flatten', order: { ...order, max_slippage_percent: '5' } },
      expect.objectContaining({ kind: 'audit', action: 'flatten', outcome: 'ok', command_id: 'f-1', epoch: epoch + 1 }),
    ]);
    expect(desk.command(command)).toEqual(answer);
    expect(desk.effects).toEqual([]);
    expect(desk.command({ ...command, max_slippage_percent: '6' }).error?.code).toBe('CommandConflict');
    expect(desk.effects).toEqual([expect.objectContaining({ kind: 'audit', outcome: 'CommandConflict' })]);
  });

  it('is obeyed in a halt and without the journal, and in no shutdown', () => {
    const desk = new DeskAtWork();
    desk.bot('b');
    desk.raise('halt');
    const command = { command_id: 'f-1', actor: 'ann', reason: 'because', ...flatten() };
    const reply = desk.take({ kind: 'command', command, audit_available: false });
    expect(reply).toMatchObject({ answer: { ok: true, state: 'halt' } });
    desk.raise('shutdown');
    for (const scope of ['global', 'bot:b']) {
      expect(desk.command(flatten({ scope, confirm: scope })).error).toEqual({
        code: 'EmergencyHalted',
        message: 'global is in shutdown, where no order goes out at all',
      });
      expect(desk.effects).toEqual([expect.objectContaining({ kind: 'audit', outcome: 'EmergencyHalted' })]);
    }
  });

  it.each([
    [{ confirm: 'yes' }, 'BadRequest'],
    [{ confirm: undefined }, 'BadRequest'],
    [{ reason: ' ' }, 'BadRequest'],
    [{ scope: 'bot:nobody', confirm: 'bot:nobody' }, 'UnknownScope'],
    [{ scope: 'everything', confirm: 'everything' }, 'UnknownScope'],
    [{ max_slippage_percent: 5 }, 'BadRequest'],
    [{ max_slippage_percent: '0' }, 'BadRequest'],
    [{ max_slippage_percent: '100' }, 'BadRequest'],
  ])('with %j is refused with %s, and closes nothing', (over, code) => {
    const desk = new DeskAtWork();
    expect(desk.command(flatten(over)).error?.code).toBe(code);
    expect(desk.effects.map(({ kind }) => kind)).toEqual(['audit']);
  });
});

describe('what a flatten plans', () => {
  it('is nothing where nothing is held', () => {
    expect(planned(new DeskAtWork(), 'global')).toEqual([]);
  });

  it('is what is held of the scope, sold where it was bought and bought back where it was sold short', () => {
    const desk = new DeskAtWork();
    desk.fill(bought('2'));
    desk.fill(bought('3', { symbol: 'ETH/USDT', side: 'sell' }));
    expect(planned(desk, 'global')).toEqual(['sell 2 - -', 'buy 3 - -']);
    expect(planned(desk, 'symbol:ETH/USDT')).toEqual(['buy 3 - -']);
    expect(planned(desk, 'venue:paper')).toHaveLength(2);
    expect(planned(desk, 'venue:elsewhere')).toEqual([]);
    expect(planned(desk, 'bot:b')).toEqual([]);
  });

  it('are orders of the bots and strategies that hold it, and of nobody for the rest', () => {
    const desk = new DeskAtWork();
    for (const id of ['a', 'b']) desk.bot(id);
    desk.fill(bought('1', { bot_id: 'a', strategy_id: 's' }));
    desk.fill(bought('2', { bot_id: 'b', strategy_id: 's' }));
    desk.fill(bought('4'));
    expect(planned(desk, 'global')).toEqual(['sell 2 b s', 'sell 1 a s', 'sell 4 - -']);
    expect(planned(desk, 'bot:a')).toEqual(['sell 1 a s']);
    expect(planned(desk, 'strategy:s')).toEqual(['sell 2 b s', 'sell 1 a s']);
  });

  it('close each bot and each strategy whole, whichever bought for which', () => {
    const desk = new DeskAtWork();
    for (const id of ['a', 'b']) desk.bot(id);
    desk.fill(bought('3', { bot_id: 'a', strategy_id: 's' }));
    desk.fill(bought('2', { bot_id: 'a', strategy_id: 't' }));
    desk.fill(bought('1', { bot_id: 'b', strategy_id: 't' }));
    desk.fill(bought('1', { strategy_id: 't' }));
    desk.raise('halt');
    for (const target of closingTargets('global', figuresOf(desk.state, desk.now).positions)) {
      const { bot_id, strategy_id, side, quantity } = target;
      const permit_id = desk.nextId();
      const whose = { side, bot_id, strategy_id };
      const [answer] = desk.permits([orderRequest(permit_id, { ...whose, quantity, purpose: 'operator' })]);
      expect(answer).toMatchObject({ granted: true, reduces: true });
      desk.fill(bought(quantity, { ...whose, permit_id }));
    }
    expect(figuresOf(desk.state, desk.now).positions).toEqual([]);
  });

  it('is no more than the account holds where bots oppose one another', () => {
    const desk = new DeskAtWork();
    for (const id of ['a', 'b']) desk.bot(id);
    desk.fill(bought('3', { bot_id: 'a' }));
    desk.fill(bought('1', { bot_id: 'b', side: 'sell' }));
    expect(planned(desk, 'global')).toEqual(['sell 2 a -']);
    expect(planned(desk, 'bot:b')).toEqual(['buy 1 b -']);
  });
});

describe('what is known to be in the way of an order', () => {
  const target: ClosingTarget = {
    ...{ venue: 'paper', account: 'main', symbol: 'BTC/USDT', side: 'sell', quantity: '1', price: '100' },
  };
  const obstacle = (desk: DeskAtWork) => obstacleTo(target, statusOf(desk.state, desk.now));

  it('is nothing in a halt, and everything in a shutdown of any of its scopes', () => {
    const desk = new DeskAtWork();
    desk.raise('halt');
    expect(obstacle(desk)).toBeUndefined();
    desk.raise('shutdown', 'symbol:ETH/USDT');
    expect(obstacle(desk)).toBeUndefined();
    desk.raise('shutdown', 'venue:paper');
    expect(obstacle(desk)).toBe('no order goes out in a shutdown');
  });

  it('is an order that reduces it already, or whose end nobody knows', () => {
    const desk = new DeskAtWork();
    desk.fill(bought('2'));
    desk.permits([orderRequest('p', { symbol: 'ETH/USDT' }), orderRequest('q', { side: 'sell', quantity: '0.5' })]);
    expect(obstacle(desk)).toContain('reduce it already');
    desk.unknown('q');
    expect(obstacle(desk)).toContain('unknown end');
  });
});

describe('what is said of a flatten', () => {
  const target: ClosingTarget = {
    ...{ venue: 'paper', account: 'main', symbol: 'BTC/USDT', bot_id: 'b', side: 'sell', quantity: '3', price: '100' },
  };
  const held = (quantity: string, over: Partial<ClosingTarget> = {}) => ({ ...target, quantity, ...over });
  const plan = (...targets: readonly ClosingTarget[]) => ({ targets, unreachable: [] });
  const order = (id: string, filled_quantity: string, filled_notional: string) => ({
    ...{ client_order_id: id, quantity: '3', filled_quantity, filled_notional },
  });

  it('adds up what the orders of all passes have filled, at their average price', () => {
    const ledger = new FlattenLedger();
    expect(ledger.plan(plan(target))).toEqual([target]);
    expect(ledger.results).toMatchObject([{ status: 'pending', quantity: '3', rest: '3', orders: [] }]);
    ledger.ended(target, order('o-1', '1', '100'));
    expect(ledger.results).toMatchObject([{ why: '1 of 3 found a taker within the collar' }]);
    // Read back as a run hands it to the next.
    const next = new FlattenLedger(ledger.results);
    expect(next.plan(plan(held('2')))).toEqual([held('2')]);
    next.ended(held('2'), order('o-2', '2', '230'));
    next.plan(plan());
    next.close();
    const { price: _price, ...place } = target;
    expect(next.results).toEqual([
      {
        ...{ ...place, status: 'closed', rest: '0', filled_quantity: '3', filled_notional: '330' },
        ...{ average_price: '110', orders: ['o-1', 'o-2'] },
      },
    ]);
  });

  it.each([
    ['some of it is still held', 'partly_closed', '1', order('o', '2', '200')],
    ['nobody took it', 'not_filled', '3', order('o', '0', '0')],
    ['it was closed otherwise', 'nothing', '0', order('o', '0', '0')],
  ])('when %s is %s', (_when, status, left, ended) => {
    const ledger = new FlattenLedger();
    ledger.plan(plan(target));
    ledger.ended(target, ended);
    ledger.plan(left === '0' ? plan() : plan(held(left)));
    ledger.close();
    expect(ledger.results).toMatchObject([{ status, rest: left }]);
  });

  it('asks again for what may pass, and not for what would be refused for good', () => {
    const ledger = new FlattenLedger();
    const other = held('1', { symbol: 'ETH/USDT' });
    ledger.plan(plan(target, other));
    const refuse = () => {
      ledger.refused(target, { code: 'OrderRejected', why: 'too small' });
      ledger.refused(other, { code: 'PositionUnproven', why: 'not yet' });
    };
    refuse();
    expect(ledger.plan(plan(target, other))).toEqual([target, other]);
    refuse();
    expect(ledger.plan(plan(target, other))).toEqual([other]);
    ledger.refused(other, { code: 'OrderRejected', why: 'too late' });
    expect(ledger.plan(plan(target, other))).toEqual([other]);
    ledger.close();
    expect(ledger.results.map(({ status, code, refusals }) => [status, code, refusals])).toEqual([
      ['refused', 'OrderRejected', 2],
      ['refused', 'OrderRejected', 1],
    ]);
  });

  it('says nothing more of what was in the way of what is closed by now', () => {
    const ledger = new FlattenLedger();
    ledger.plan(plan(target));
    ledger.refused(target, { code: 'PositionUnproven', why: 'not yet' });
    ledger.plan(plan());
    ledger.close();
    const { price: _price, ...place } = target;
    const none = { filled_quantity: '0', filled_notional: '0', orders: [] };
    expect(ledger.results).toEqual([{ ...place, status: 'nothing', rest: '0', ...none }]);
  });

  it('names what no worker can trade in, and what an order that is out waits for', () => {
    const ledger = new FlattenLedger();
    const far = held('1', { venue: 'far' });
    expect(ledger.plan({ targets: [target], unreachable: [far] })).toEqual([target]);
    ledger.refused(target, { code: 'ConnectionError', why: 'cut' });
    ledger.waits(target, 'it rests');
    expect(ledger.results[0]).toMatchObject({ status: 'pending', why: 'it rests' });
    expect(ledger.results[0]).not.toHaveProperty('code');
    ledger.close();
    expect(ledger.results[1]).toMatchObject({ status: 'unreachable', why: 'no worker can trade there' });
  });

  it('goes by names that no two targets share, nor two passes', () => {
    expect(targetKey(target)).toBe('paper main BTC/USDT bot:b');
    expect(closingKey('desk/d/flatten/7', target, 2)).toBe('desk/d/flatten/7/paper main BTC/USDT bot:b/2');
  });
});

describe('an order of a flatten', () => {
  it('is told in the desk’s stream, as that of no execution', () => {
    const fact: OrderFact = {
      ...{ order_id: 'o', account: 'main', venue: 'paper', symbol: 'BTC/USDT', side: 'sell', currency: 'USDT' },
      ...{ status: 'open', updated_at: 1 },
    };
    const permitted = { quantity: '1', price: '100', epoch: 1, reduces: true, granted_at: 1 };
    const eventOf = (execution_id: string) =>
      orderEvents('default', { ...fact, permitted: { ...permitted, execution_id } })[0]?.event;
    expect(eventOf('desk/default/flatten/7')).toMatchObject({ stream: 'desk/default', type: 'order_submitted' });
    expect(eventOf('desk/default/flatten/7')).not.toHaveProperty('execution_id');
    expect(eventOf('exec_1')).toMatchObject({ stream: 'exec_1', execution_id: 'exec_1' });
  });
});
