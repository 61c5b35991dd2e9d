/** What is told to everybody of an order. Ids are made of the order, the phase and what was filled, so a repeat collides. */
import { orderEvent, type Publication } from '../events/build';
import type { OrderEventType, OrderView } from '../events/envelope';
import { present } from '../json';
import { decimal } from '../money';
import type { OrderFact, OrderNews } from './model';

interface Phase {
  readonly type: OrderEventType;
  readonly phase: string;
}

const IN_ORDER: readonly OrderNews[] = ['acknowledged', 'filled', 'unknown', 'ended'];

/**
 * Of what is new in it, as it must have happened: a first fill is noted before what it implies, that the venue has the order. A permit that
 * was only granted, or never used, is no order yet and none any more.
 */
export function newOrderEvents(deskId: string, fact: OrderFact, news: readonly OrderNews[]): readonly Publication[] {
  const phases = IN_ORDER.filter((each) => news.includes(each)).flatMap((each) => phasesOf(fact, each));
  return phases.map((phase) => told(deskId, fact, phase));
}

/** All that it implies, whatever was told before. */
export function orderEvents(deskId: string, fact: OrderFact): readonly Publication[] {
  const wentOut = fact.status === 'open' || fact.fill !== undefined;
  return newOrderEvents(deskId, fact, [
    ...(wentOut ? (['acknowledged'] as const) : []),
    ...(fact.fill === undefined ? [] : (['filled'] as const)),
    ...(fact.status === 'unknown' ? (['unknown'] as const) : (['ended'] as const)),
  ]);
}

function phasesOf(fact: OrderFact, news: OrderNews): readonly Phase[] {
  switch (news) {
    case 'acknowledged':
      return [{ type: 'order_submitted', phase: 'submitted' }];
    case 'filled':
      return fact.fill === undefined ? [] : [{ type: fillType(fact), phase: `filled|${fact.fill.quantity}` }];
    case 'unknown':
      return [{ type: 'order_unknown', phase: 'unknown' }];
    case 'ended':
      return endPhase(fact);
    case 'granted':
    case 'fenced':
      return [];
  }
}

/** That it was filled whole is told by its fill. */
function endPhase({ status }: OrderFact): readonly Phase[] {
  return status === 'cancelled' || status === 'rejected' ? [{ type: `order_${status}`, phase: status }] : [];
}

function fillType({ permitted, fill }: OrderFact): OrderEventType {
  const isWhole =
    permitted !== undefined && fill !== undefined && decimal(fill.quantity).gte(decimal(permitted.quantity));
  return isWhole ? 'order_filled' : 'order_partially_filled';
}

function told(deskId: string, fact: OrderFact, phase: Phase): Publication {
  const { bot_id, strategy_id, permitted, updated_at } = fact;
  const { execution_id, workflow_id, mode } = permitted ?? {};
  const context = present({ execution_id: ofExecution(execution_id), workflow_id, mode, bot_id, strategy_id });
  return orderEvent(deskId, context, { ...phase, order: viewOf(fact) }, updated_at);
}

/** What an operator has closed is no execution's; it is told in the desk's own stream. No execution's id holds a slash. */
function ofExecution(id: string | undefined): string | undefined {
  return id?.includes('/') === true ? undefined : id;
}

function viewOf({ permitted, fill, ...fact }: OrderFact): OrderView {
  const { order_id, permit_id, account, venue, symbol, side, currency, status } = fact;
  const { quantity: filled_quantity = '0', notional: filled_notional = '0', fees = '0', realized } = fill ?? {};
  const { quantity, price, reduces } = permitted ?? {};
  return {
    ...{ order_id, account, venue, symbol, side, currency, status, filled_quantity, filled_notional, fees },
    ...present({ permit_id, quantity, price, reduces, realized }),
  };
}
