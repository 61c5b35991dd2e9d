/** What the desk tells of orders: whoever keeps the newest fact of each has missed nothing. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Effect, OrderFact } from '../../src/emergency/model';
import { mergedFact } from '../../src/emergency/order-facts';
import { newOrderEvents, orderEvents } from '../../src/emergency/order-events';
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
    expect(types(desk).sort()).toEqual(['order_partially_filled', 'order_submitted']);
    fill('0.4', '0.01');
    expect(told(desk)).toEqual([]);
    fill('1', '0.02');
    expect(facts(desk)).toMatchObject([{ status: 'filled', fill: { quantity: '1', fees: '0.02' } }]);
    expect(types(desk)).toEqual(['order_filled']);
    desk.settle('p', 'closed', { filled_quantity: '1' });
    expect(told(desk)).toMatchObject([{ is_open: false, fact: { status: 'filled', fill: { quantity: '1' } } }]);
    expect(types(desk)).toEqual([]);
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

describe('under any sequence of grants, settlements and fills', () => {
  const OUTCOMES = ['acknowledged', 'unknown', 'fenced', 'unused', 'rejected', 'closed'] as const;
  const step = fc.oneof(
    fc.record({ kind: fc.constant('ask' as const), quantity: fc.constantFrom('1', '2.5') }),
    fc.record({
      kind: fc.constant('settle' as const),
      of: fc.nat(9),
      outcome: fc.constantFrom(...OUTCOMES),
      part: fc.nat(4),
    }),
    fc.record({ kind: fc.constant('fill' as const), of: fc.nat(9), part: fc.integer({ min: 1, max: 4 }) }),
  );

  it('the newest facts are all permits that were granted, as the desk has them, and all that was filled', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const desk = new DeskAtWork();
        desk.limits({ max_position_notional: '1000000' });
        const granted = new Map<string, string>();
        const filled = new Map<string, string>();
        const newest = new Map<string, OrderFact>();
        const perInput: number[] = [];
        const keep = () => {
          const keys = facts(desk).map(({ permit_id, order_id }) => permit_id ?? order_id);
          perInput.push(keys.length - new Set(keys).size);
          facts(desk).forEach((fact, at) => newest.set(keys[at]!, mergedFact(newest.get(keys[at]!), fact)));
        };
        for (const each of steps) {
          desk.now += 1;
          const [id, quantity] = each.kind === 'ask' ? [] : ([...granted][each.of % Math.max(1, granted.size)] ?? []);
          if (each.kind === 'ask') {
            const permit_id = desk.nextId();
            if (outcomeOf(desk.permits([orderRequest(permit_id, { quantity: each.quantity })])[0]!) === 'granted')
              granted.set(permit_id, each.quantity);
          } else if (id === undefined) continue;
          else if (each.kind === 'settle')
            desk.settle(id, each.outcome, { filled_quantity: String((Number(quantity) * each.part) / 4) });
          else {
            const part = String((Number(quantity) * each.part) / 4);
            const reply = desk.fill({
              order_id: id,
              permit_id: id,
              filled_quantity: part,
              filled_notional: String(Number(part) * 100),
            });
            if (reply.kind === 'accepted' && Number(part) > Number(filled.get(id) ?? 0)) filled.set(id, part);
          }
          keep();
        }
        expect(perInput.every((repeats) => repeats === 0)).toBe(true);
        expect([...newest.keys()].sort()).toEqual([...granted.keys()].sort());
        for (const [id, fact] of newest) {
          expect([id, fact.fill?.quantity ?? '0']).toEqual([id, filled.get(id) ?? '0']);
          expect(fact.permitted?.quantity).toBe(granted.get(id));
          const permit = desk.state.permits[id];
          const isOver = ['filled', 'cancelled', 'rejected', 'unused'].includes(fact.status);
          // One that is open may be filled, or have ended at the venue while fills are to come.
          if (permit === undefined) expect([id, isOver]).toEqual([id, true]);
          else if (permit.status !== 'closed' && fact.status !== 'filled')
            expect([fact.status, isOver]).toEqual([
              permit.unknown === true
                ? 'unknown'
                : { granted: 'intended', acknowledged: 'open', fenced: 'fenced' }[permit.status],
              false,
            ]);
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
