/** What the desk tells of orders: whoever keeps the newest fact of each has missed nothing. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Effect, OrderFact, OrderStatus } from '../../src/emergency/model';
import { mergedFact } from '../../src/emergency/order-facts';
import { newOrderEvents, orderEvents } from '../../src/emergency/order-events';
import type { OpenPermit } from '../../src/emergency/state';
import { decimal } from '../../src/money';
import { DeskAtWork, NOON, orderRequest, outcomeOf } from '../support/desk-at-work';

type OrderEffect = Extract<Effect, { kind: 'order' }>;

const told = (desk: DeskAtWork) => desk.effects.filter((effect): effect is OrderEffect => effect.kind === 'order');
const facts = (desk: DeskAtWork) => told(desk).map(({ fact }) => fact);
const types = (desk: DeskAtWork) =>
  told(desk).flatMap(({ fact, news }) => newOrderEvents('d', fact, news).map(({ event }) => event.type));

describe('a permit', () => {
  it('is told as the order it is for, with all that is known of it', () => {
    const desk = new DeskAtWork();
    const whose = { bot_id: 'b', strategy_id: 's', client_order_id: 'c-1', workflow_id: 'g', mode: 'live' };
    desk.bot('b');
    desk.permits([orderRequest('p', whose)]);
    expect(told(desk)).toEqual([
      {
        kind: 'order',
        is_open: true,
        news: ['granted'],
        fact: {
          ...{ order_id: 'c-1', permit_id: 'p', account: 'main', venue: 'paper', symbol: 'BTC/USDT', side: 'buy' },
          ...{ currency: 'USDT', bot_id: 'b', strategy_id: 's', status: 'intended', updated_at: NOON },
          permitted: {
            ...{ client_order_id: 'c-1', quantity: '1', price: '100', execution_id: 'run-1', workflow_id: 'g' },
            ...{ mode: 'live', epoch: desk.state.epoch, reduces: false, granted_at: NOON },
          },
        },
      },
    ]);
  });

  it('that is denied is told by nothing', () => {
    const desk = new DeskAtWork();
    desk.raise('halt');
    desk.ask();
    expect(told(desk)).toEqual([]);
  });

  it.each([
    ['unused', {}, 'unused', []],
    ['rejected', {}, 'rejected', ['order_rejected']],
    ['acknowledged', {}, 'open', ['order_submitted']],
    ['unknown', {}, 'unknown', ['order_unknown']],
    ['fenced', {}, 'fenced', []],
    ['closed', {}, 'cancelled', ['order_cancelled']],
    ['closed', { filled_quantity: '0.4' }, 'cancelled', ['order_cancelled']],
    ['closed', { filled_quantity: '1' }, 'filled', []],
  ])('that is settled %s %j is an order that is %s', (outcome, over, status, events) => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p')]);
    desk.settle('p', outcome, over);
    expect(facts(desk)).toMatchObject([{ permit_id: 'p', status, permitted: { quantity: '1' } }]);
    expect(types(desk)).toEqual(events);
    desk.settle('p', outcome, over);
    expect(told(desk)).toEqual([]);
  });

  it('is filled by parts, whole, and then ends without another word', () => {
    const desk = new DeskAtWork();
    const fill = (quantity: string, fees: string) =>
      desk.fill({
        order_id: 'p',
        permit_id: 'p',
        filled_quantity: quantity,
        filled_notional: `${Number(quantity) * 100}`,
        fees,
      });
    desk.permits([orderRequest('p')]);
    fill('0.4', '0.01');
    expect(facts(desk)).toMatchObject([{ status: 'open', fill: { quantity: '0.4', notional: '40', fees: '0.01' } }]);
    expect(types(desk)).toEqual(['order_submitted', 'order_partially_filled']);
    fill('0.4', '0.01');
    expect(told(desk)).toEqual([]);
    fill('1', '0.02');
    expect(facts(desk)).toMatchObject([{ status: 'filled', fill: { quantity: '1', fees: '0.02' } }]);
    expect(types(desk)).toEqual(['order_filled']);
    desk.settle('p', 'closed', { filled_quantity: '1' });
    expect(told(desk)).toMatchObject([{ is_open: false, fact: { status: 'filled', fill: { quantity: '1' } } }]);
    expect(types(desk)).toEqual([]);
  });

  it('that is filled for the last time has ended in the same step, and is told once', () => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p')]);
    const last = { order_id: 'p', permit_id: 'p', filled_quantity: '0.4', filled_notional: '40', ended: true };
    desk.fill(last);
    expect(told(desk)).toMatchObject([{ is_open: false, fact: { status: 'cancelled', fill: { quantity: '0.4' } } }]);
    expect(types(desk)).toEqual(['order_submitted', 'order_partially_filled', 'order_cancelled']);
    desk.fill(last);
    expect(told(desk)).toEqual([]);
  });

  it('that ended is told of a fill that comes after, and the two together are the order', () => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p')]);
    desk.settle('p', 'closed');
    const [ended] = facts(desk);
    desk.fill({ order_id: 'p', permit_id: 'p', filled_quantity: '0.5', filled_notional: '50' });
    const [late] = facts(desk);
    expect(late).toMatchObject({ status: 'unpermitted', fill: { quantity: '0.5' } });
    expect(mergedFact(ended, late!)).toMatchObject({
      ...{ status: 'cancelled', permitted: { quantity: '1' }, fill: { quantity: '0.5' } },
    });
    desk.fill({ order_id: 'p', permit_id: 'p', filled_quantity: '1', filled_notional: '100' });
    expect(mergedFact(ended, facts(desk)[0]!)).toMatchObject({ status: 'filled' });
  });

  it('carries what its order realised, over all its parts', () => {
    const desk = new DeskAtWork();
    desk.fill({ filled_quantity: '2', filled_notional: '200' });
    const sell = (quantity: string, notional: string) =>
      desk.fill({ order_id: 's', side: 'sell', filled_quantity: quantity, filled_notional: notional, fees: '0.1' });
    sell('1', '110');
    expect(facts(desk)).toMatchObject([{ fill: { realized: '10' } }]);
    sell('2', '205');
    expect(facts(desk)).toMatchObject([{ fill: { realized: '5' } }]);
  });
});

describe('while there is no room for more orders', () => {
  const ask = (desk: DeskAtWork, order_room: number, ...requests: readonly object[]) => {
    const asked = requests.map((over) => orderRequest(desk.nextId(), over as Record<string, unknown>));
    const reply = desk.take({ kind: 'permits', requests: asked, settlements: [], order_room });
    return reply.kind === 'permits' ? reply.answers.map(outcomeOf) : [];
  };

  it('what increases is denied, within a batch too, and what reduces is not', () => {
    const desk = new DeskAtWork();
    desk.fill({ filled_quantity: '3', filled_notional: '300' });
    expect(ask(desk, 2, {}, {}, {}, { side: 'sell' })).toEqual(['granted', 'granted', 'AuditUnavailable', 'granted']);
    expect(ask(desk, 0, {}, { side: 'sell' })).toEqual(['AuditUnavailable', 'granted']);
    expect(ask(desk, 0, { side: 'sell', quantity: '2' })).toEqual(['AuditUnavailable']);
  });

  it('settlements and fills are taken as ever, and a halt is still the reason that is given', () => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p')]);
    desk.take({
      kind: 'permits',
      requests: [],
      settlements: [{ permit_id: 'p', outcome: 'acknowledged' }],
      order_room: 0,
    });
    expect(facts(desk)).toMatchObject([{ status: 'open' }]);
    expect(desk.fill({ order_id: 'p', permit_id: 'p' })).toEqual({ kind: 'accepted' });
    desk.raise('halt');
    expect(ask(desk, 0, {})).toEqual(['EmergencyHalted']);
  });
});

/** Whoever hears each fact and keeps the newest of each order, beside what really happened. */
class Listener {
  readonly desk = new DeskAtWork();
  /** Quantities, by permit. */
  readonly granted = new Map<string, string>();
  readonly filled = new Map<string, string>();
  readonly newest = new Map<string, OrderFact>();

  constructor() {
    this.desk.limits({ max_position_notional: '1000000' });
  }

  take(step: Step): void {
    this.desk.now += 1;
    const [id, quantity] = [...this.granted][step.of % Math.max(1, this.granted.size)] ?? [];
    if (step.kind === 'ask') this.#ask(step.quantity);
    else if (id === undefined || quantity === undefined) return;
    else if (step.kind === 'settle') this.desk.settle(id, step.outcome, { filled_quantity: partOf(quantity, step) });
    else this.#fill(id, partOf(quantity, step), step.ended);
    this.#keep();
  }

  #ask(quantity: string): void {
    const permit_id = this.desk.nextId();
    const [answer] = this.desk.permits([orderRequest(permit_id, { quantity })]);
    if (answer?.granted === true) this.granted.set(permit_id, quantity);
  }

  #fill(id: string, part: string, ended: boolean): void {
    const amounts = { filled_quantity: part, filled_notional: String(Number(part) * 100), ended };
    const { kind } = this.desk.fill({ order_id: id, permit_id: id, ...amounts });
    if (kind === 'accepted' && Number(part) > Number(this.filled.get(id) ?? 0)) this.filled.set(id, part);
  }

  #keep(): void {
    const heard = facts(this.desk);
    const keys = heard.map(({ permit_id, order_id }) => permit_id ?? order_id);
    expect(new Set(keys).size).toBe(keys.length);
    heard.forEach((fact, at) => this.newest.set(keys[at]!, mergedFact(this.newest.get(keys[at]!), fact)));
  }
}

const OUTCOMES = ['acknowledged', 'unknown', 'fenced', 'unused', 'rejected', 'closed'] as const;

type Step = { readonly of: number; readonly part: number } & (
  | { readonly kind: 'ask'; readonly quantity: string }
  | { readonly kind: 'settle'; readonly outcome: (typeof OUTCOMES)[number] }
  | { readonly kind: 'fill'; readonly ended: boolean }
);

function partOf(quantity: string, { part }: Step): string {
  return String((Number(quantity) * part) / 4);
}

const place = { of: fc.nat(9), part: fc.integer({ min: 1, max: 4 }) };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('ask' as const), quantity: fc.constantFrom('1', '2.5'), ...place }),
    fc.record({ kind: fc.constant('settle' as const), outcome: fc.constantFrom(...OUTCOMES), ...place }),
    fc.record({ kind: fc.constant('fill' as const), ended: fc.boolean(), ...place }),
  ),
  { maxLength: 60 },
);

/** What the permit itself says, where that is not how its order stands at the venue. */
function statusExpected(permit: OpenPermit | undefined, { status }: OrderFact): OrderStatus {
  const isOver = ['filled', 'cancelled', 'rejected', 'unused'].includes(status);
  if (permit === undefined || permit.status === 'closed') return isOver ? status : 'cancelled';
  if (decimal(permit.filled).gte(decimal(permit.quantity))) return 'filled';
  if (permit.unknown === true) return 'unknown';
  return ({ granted: 'intended', acknowledged: 'open', fenced: 'fenced' } as const)[permit.status];
}

describe('under any sequence of grants, settlements and fills', () => {
  it('the newest facts are all permits that were granted, as the desk has them, and all that was filled', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const heard = new Listener();
        for (const step of given) heard.take(step);
        const { newest, granted, filled, desk } = heard;
        expect([...newest.keys()].sort()).toEqual([...granted.keys()].sort());
        for (const [id, fact] of newest) {
          expect([id, fact.permitted?.quantity, fact.fill?.quantity]).toEqual([id, granted.get(id), filled.get(id)]);
          expect([id, fact.status]).toEqual([id, statusExpected(desk.state.permits[id], fact)]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('events of an order', () => {
  it('have the id of the order, the phase and what was filled, and go to the stream of its execution', () => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p', { client_order_id: 'c', mode: 'live', workflow_id: 'g' })]);
    desk.fill({ order_id: 'c', permit_id: 'p' });
    const [effect] = told(desk);
    const events = newOrderEvents('d', effect!.fact, effect!.news).map(({ event }) => event);
    expect(
      events.map(({ event_id, type, stream, mode, workflow_id }) => [event_id, type, stream, mode, workflow_id]),
    ).toEqual(
      expect.arrayContaining([
        ['desk/d|order|p|submitted', 'order_submitted', 'run-1', 'live', 'g'],
        ['desk/d|order|p|filled|1', 'order_filled', 'run-1', 'live', 'g'],
      ]),
    );
    expect(new Set(orderEvents('d', effect!.fact).map(({ event }) => event.event_id))).toEqual(
      new Set(events.map(({ event_id }) => event_id)),
    );
    expect(events[0]).toMatchObject({
      order: {
        order_id: 'c',
        permit_id: 'p',
        quantity: '1',
        filled_quantity: '1',
        filled_notional: '100',
        status: 'filled',
      },
    });
  });
});

describe('an order that was unknown and filled', () => {
  it('is told as open once the venue has said that it has it', () => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p', { quantity: '2' })]);
    desk.settle('p', 'unknown');
    desk.fill({ permit_id: 'p', order_id: 'p' });
    expect(facts(desk)).toMatchObject([{ status: 'unknown' }]);
    desk.settle('p', 'acknowledged');
    expect(facts(desk)).toMatchObject([{ status: 'open' }]);
  });
});

describe('all that is told of an order at once', () => {
  const permitted = {
    ...{ quantity: '2', price: '100', execution_id: 'run-1', epoch: 1, reduces: false, granted_at: NOON },
  };
  const fact = (over: Partial<OrderFact> = {}): OrderFact => ({
    ...{ order_id: 'o', permit_id: 'p', account: 'main', venue: 'paper', symbol: 'BTC/USDT', side: 'buy' },
    ...{ currency: 'USDT', status: 'open', updated_at: NOON, permitted },
    ...over,
  });
  const fill = (quantity: string) => ({ quantity, notional: '100', fees: '0.1', at: NOON });
  const typesOf = (over: Partial<OrderFact>) => orderEvents('d', fact(over)).map(({ event }) => event.type);

  it('is that it went out, what it filled, and how it ended', () => {
    expect(typesOf({})).toEqual(['order_submitted']);
    expect(typesOf({ status: 'intended' })).toEqual([]);
    expect(typesOf({ status: 'unknown' })).toEqual(['order_unknown']);
    expect(typesOf({ status: 'rejected' })).toEqual(['order_rejected']);
    expect(typesOf({ fill: fill('1') })).toEqual(['order_submitted', 'order_partially_filled']);
    expect(typesOf({ status: 'cancelled', fill: fill('1') })).toEqual([
      ...['order_submitted', 'order_partially_filled', 'order_cancelled'],
    ]);
    expect(typesOf({ status: 'filled', fill: fill('2') })).toEqual(['order_submitted', 'order_filled']);
  });

  it('is, of one nobody permitted, what it filled, which is never known to be all', () => {
    const { permitted: _, permit_id: __, ...bare } = fact({ status: 'unpermitted', fill: fill('2') });
    const [, told] = orderEvents('d', bare);
    expect(told?.event).toMatchObject({
      ...{ type: 'order_partially_filled', stream: 'desk/d', mode: 'paper' },
      order: { order_id: 'o', filled_quantity: '2', filled_notional: '100', fees: '0.1' },
    });
  });

  it('is nothing new for news that are none to anybody', () => {
    expect(newOrderEvents('d', fact(), ['granted', 'fenced'])).toEqual([]);
    expect(newOrderEvents('d', fact({ status: 'open' }), ['filled', 'ended'])).toEqual([]);
  });
});
