/** Which orders go when somebody asks for what rests to be cancelled. */
import { describe, expect, it } from '@jest/globals';
import { pickOrders, protects, type CancelOrder, concernsAccount } from '../../src/emergency/cancels';
import { openOrdersOf } from '../../src/emergency/open-orders';
import type { PermitStatus } from '../../src/emergency/status';
import type { VenueOrder } from '../../src/venues/venue';
import { DeskAtWork, orderRequest } from '../support/desk-at-work';

const HALT: CancelOrder = { scope: 'global', epoch: 10, reason: 'fire', actor: 'ann' };

const listed = (client_order_id: string, over: Partial<VenueOrder> = {}): VenueOrder => ({
  ...{ client_order_id, venue_order_id: `v-${client_order_id}`, symbol: 'BTC/USDT', side: 'buy', type: 'limit' },
  ...{ status: 'open', quantity: '1', price: '100', filled_quantity: '0', filled_notional: '0', fees: '0' },
  ...{ created_ms: 1, updated_ms: 1 },
  ...over,
});
const permit = (client_order_id: string, over: Partial<PermitStatus> = {}): PermitStatus => ({
  ...{ permit_id: `p-${client_order_id}`, client_order_id, instrument: 'paper main BTC/USDT', venue: 'paper' },
  ...{ symbol: 'BTC/USDT', side: 'buy', quantity: '1', price: '100', filled: '0', reduces: false },
  ...{ status: 'acknowledged', epoch: 9, at: 0, execution_id: 'x' },
  ...over,
});

const idsOf = (order: CancelOrder, orders: readonly VenueOrder[], permits: readonly PermitStatus[]) =>
  pickOrders(order, orders, permits).targets.map(({ client_order_id }) => client_order_id);

describe('a halt of a scope that is not the whole account', () => {
  const orders = [listed('of-bot'), listed('of-other'), listed('foreign')];
  const permits = [permit('of-bot', { bot_id: 'a' }), permit('of-other', { bot_id: 'b' })];

  it('means what the desk permitted for it', () => {
    expect(idsOf({ ...HALT, scope: 'bot:a' }, orders, permits)).toEqual(['of-bot']);
    expect(idsOf({ ...HALT, scope: 'symbol:BTC/USDT' }, orders, permits)).toEqual(['of-bot', 'of-other']);
    expect(idsOf({ ...HALT, scope: 'strategy:a' }, orders, permits)).toEqual([]);
  });

  it('means all of the account where it is global or the venue', () => {
    expect(idsOf(HALT, orders, permits)).toEqual(['of-bot', 'of-other', 'foreign']);
    expect(idsOf({ ...HALT, scope: 'venue:paper' }, orders, permits)).toHaveLength(3);
  });
});

describe('the moment of the halt', () => {
  it('keeps what was permitted since: an order of on_halt, or of an operator, has a permit of its epoch or a later one', () => {
    const permits = [permit('before', { epoch: 9 }), permit('since', { epoch: 10 })];
    expect(idsOf(HALT, [listed('before'), listed('since')], permits)).toEqual(['before']);
    const { epoch: _none, ...always } = HALT;
    expect(idsOf(always, [listed('before'), listed('since')], permits)).toEqual(['before', 'since']);
  });

  it('means what is on its way as well: a permit whose order the venue has not shown', () => {
    const permits = [
      permit('granted', { status: 'granted' }),
      permit('fenced', { status: 'fenced' }),
      permit('owes-fills', { status: 'closed' }),
    ];
    expect(idsOf(HALT, [], permits)).toEqual(['granted', 'fenced']);
  });

  it('asks first about what is only known to reduce, for it may be a protective stop', () => {
    const permits = [permit('adds'), permit('reduces', { side: 'sell', reduces: true })];
    const asked = (order: CancelOrder) => pickOrders(order, [], permits).targets.map(({ may_protect }) => may_protect);
    expect(asked(HALT)).toEqual([false, true]);
    expect(asked({ ...HALT, cancel_stops: true })).toEqual([false, false]);
  });
});

describe('protective stops', () => {
  const stop = listed('stop', { type: 'stop', side: 'sell', stop_price: '90' });

  it('stay, and are said to', () => {
    const { targets, spared } = pickOrders(HALT, [stop, listed('limit')], [permit('stop', { reduces: true })]);
    expect(targets.map(({ client_order_id }) => client_order_id)).toEqual(['limit']);
    expect(spared).toEqual([
      {
        ...{ client_order_id: 'stop', symbol: 'BTC/USDT', side: 'sell', status: 'spared' },
        ...{ permit_id: 'p-stop', filled_quantity: '0' },
      },
    ]);
  });

  it('go where that is asked for', () => {
    expect(idsOf({ ...HALT, cancel_stops: true }, [stop], [])).toEqual(['stop']);
  });

  it.each([
    ['a stop that sells, of which no permit is known', { type: 'stop', side: 'sell', protects: true }],
    ['a stop that buys, of which no permit is known', { type: 'stop', side: 'buy', protects: false }],
    ['a stop that buys back, by its permit', { type: 'stop', side: 'buy', reduces: true, protects: true }],
    ['a stop that opens, by its permit', { type: 'stop', side: 'sell', reduces: false, protects: false }],
    ['a limit order that reduces', { type: 'limit', side: 'sell', reduces: true, protects: false }],
  ] as const)('%s', (_what, { protects: expected, ...order }) => {
    expect(protects(order, 'reduces' in order ? order.reduces : undefined)).toBe(expected);
  });
});

describe('one symbol alone', () => {
  it('leaves the others, permitted or not', () => {
    const orders = [listed('btc'), listed('eth', { symbol: 'ETH/USDT' })];
    const permits = [permit('late', { symbol: 'ETH/USDT', instrument: 'paper main ETH/USDT' }), permit('other')];
    expect(idsOf({ ...HALT, symbol: 'ETH/USDT' }, orders, permits)).toEqual(['eth', 'late']);
  });
});

describe('a desk that is asked for all of an account', () => {
  it('names every open permit, however many, and what it counts as held', () => {
    const desk = new DeskAtWork();
    const requests = Array.from({ length: 150 }, (_, at) =>
      orderRequest(`p-${at}`, { client_order_id: `c-${at}`, quantity: '0.1' }),
    );
    desk.take({ kind: 'permits', requests, settlements: [] });
    const fill = {
      ...{ order_id: 'held', account: 'main', venue: 'paper', symbol: 'BTC/USDT', side: 'buy', currency: 'USDT' },
      ...{ filled_quantity: '2', filled_notional: '200', fees: '0', at: desk.now },
    };
    desk.take({ kind: 'fill', fill });
    const question = { venue: 'paper', account: 'main', offset: 0 };
    expect(openOrdersOf(desk.state, question).unsettled).toHaveLength(100);
    const all = openOrdersOf(desk.state, { ...question, all: true });
    expect(all.unsettled).toHaveLength(150);
    expect(all.positions).toEqual([{ symbol: 'BTC/USDT', quantity: '2' }]);
    expect(openOrdersOf(desk.state, { ...question, account: 'other', all: true }).positions).toEqual([]);
  });
});

describe('an account', () => {
  it('is concerned by every scope but the venue of another', () => {
    const account = { venue: 'paper', account: 'main' };
    const scopes = ['global', 'bot:b', 'symbol:BTC/USDT', 'venue:paper', 'venue:other'];
    expect(scopes.filter((scope) => concernsAccount(scope, account))).toEqual(scopes.slice(0, 4));
  });
});

describe('a command to cancel', () => {
  it('is recorded, and is for what was permitted before it, also while the journal is down', () => {
    const desk = new DeskAtWork();
    const { epoch } = desk.state;
    const said = { actor: 'ann', reason: 'fire', scope: 'venue:paper', symbol: 'BTC/USDT', cancel_stops: true };
    const command = { action: 'cancel_orders', command_id: 'c', ...said };
    const reply = desk.take({ kind: 'command', command, audit_available: false });
    expect(reply).toMatchObject({ answer: { ok: true, state: 'normal', epoch: epoch + 1 } });
    expect(desk.effects).toEqual([
      { kind: 'cancel_orders', order: { ...said, epoch: epoch + 1 } },
      expect.objectContaining({ kind: 'audit', action: 'cancel_orders', outcome: 'ok', command_id: 'c' }),
    ]);
  });

  it.each([
    [{ scope: 'bot:nobody' }, 'UnknownScope'],
    [{ scope: 'global', symbol: 'two words' }, 'BadRequest'],
    [{ scope: 'global', cancel_stops: 'yes' }, 'BadRequest'],
  ])('of %j is refused with %s', (over, code) => {
    const desk = new DeskAtWork();
    expect(desk.command({ action: 'cancel_orders', ...over }).error?.code).toBe(code);
    expect(desk.effects.map(({ kind }) => kind)).toEqual(['audit']);
  });
});
