/**
 * What is owed of orders: to the journal without end, and to the log of events as far as there is room. Of each order its newest fact alone
 * waits, which holds all that older ones said, so the bound is of orders and not of what was said about them.
 */
import type { DeskState } from '../emergency/decide';
import type { Effect, OrderFact } from '../emergency/model';
import { newOrderEvents, orderEvents } from '../emergency/order-events';
import { mergedFact, openFact } from '../emergency/order-facts';
import type { Publication } from '../events/build';
import type { CarriedOrders, DeskSettings } from './desk-messages';
import { sinks } from './event-sink';
import { newest } from './newest';

/** Orders that may wait for the journal, and characters of JSON of those the desk itself has forgotten; a little more may, see `room`. */
const MOST_ORDERS = 2_000;
const MOST_TEXT = 300_000;
/** So many times as much, and the oldest are handed to a workflow of their own; each takes half as much as may wait. */
const OVERFULL = 2;
/** So many travel in one message. */
const BATCH = 200;
const MOST_TOLD = 500;
const MOST_TOLD_TEXT = 100_000;
/**
 * So long an order may be intended and no more before the journal hears of it: until a sweeper would look for it. Most are settled within,
 * and one that was never sent by then is not told at all.
 */
const INTENDED_MS = 3_000;

type OrderEffect = Extract<Effect, { kind: 'order' }>;

type OrderBounds = Pick<DeskSettings, 'orders_waiting' | 'orders_text'>;

interface Waiting {
  readonly fact: OrderFact;
  /** What it adds to what travels to the next run; nothing while its permit is open there. */
  readonly text: number;
}

export class OrderOutbox {
  readonly #deskId: string;
  /** Granted within the last moment, the oldest first; the journal was never told of them. */
  readonly #young = new Map<string, OrderFact>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #untold = new Map<string, OrderFact>();
  readonly #most: number;
  readonly #mostText: number;
  #text = 0;

  /** Nothing carried: by a run that did not tell of orders, so all that are open are told. */
  constructor(desk: DeskState, carried: CarriedOrders = { open: Object.keys(desk.permits) }, bounds: OrderBounds = {}) {
    this.#deskId = desk.desk_id;
    this.#most = bounds.orders_waiting ?? MOST_ORDERS;
    this.#mostText = bounds.orders_text ?? MOST_TEXT;
    this.#open(desk, carried);
  }

  take({ fact, news, is_open }: OrderEffect): void {
    const key = keyOf(fact);
    const events = newOrderEvents(this.#deskId, fact, news);
    for (const event of events) sinks.events.publish(event);
    if (events.length > 0) this.#owe(key, fact);
    const isNeverTold = this.#young.delete(key);
    if (isBare(news)) this.#young.set(key, fact);
    else if (fact.status !== 'unused' || !isNeverTold) this.#wait(key, fact, is_open);
  }

  /** For how many more orders there is room. Only what increases is kept within it: what is open may end, and what reduces may begin. */
  get room(): number {
    return this.#text >= this.#mostText ? 0 : Math.max(0, this.#most - this.#waiting.size - this.#young.size);
  }

  owesJournal(now: number): boolean {
    if (this.#waiting.size > 0) return true;
    const [oldest] = this.#young.values();
    return oldest !== undefined && isGrown(oldest, now);
  }

  get owesLog(): boolean {
    return this.#untold.size > 0;
  }

  nextForJournal(now: number): readonly OrderFact[] {
    for (const [key, fact] of this.#young) {
      if (!isGrown(fact, now)) break;
      this.#young.delete(key);
      this.#wait(key, fact, true);
    }
    return first(this.#waiting.values(), BATCH).map(({ fact }) => fact);
  }

  get isOverfull(): boolean {
    return this.#text >= this.#mostText * OVERFULL;
  }

  /** The oldest of those the desk itself has forgotten. */
  nextToHandOn(): readonly OrderFact[] {
    let room = this.#mostText / 2;
    const taken: OrderFact[] = [];
    for (const { fact, text } of this.#waiting.values()) {
      if (room <= 0) break;
      if (text === 0) continue;
      taken.push(fact);
      room -= text;
    }
    return taken;
  }

  /** They are in the journal, or with somebody who brings them there. What changed meanwhile waits on. */
  journalled(facts: readonly OrderFact[]): void {
    for (const fact of facts) {
      const key = keyOf(fact);
      const waiting = this.#waiting.get(key);
      if (waiting?.fact === fact) this.#forget(key, waiting);
    }
  }

  nextForLog(): readonly OrderFact[] {
    return first(this.#untold.values(), BATCH / 2);
  }

  eventsOf(facts: readonly OrderFact[]): readonly Publication[] {
    return facts.flatMap((fact) => orderEvents(this.#deskId, fact));
  }

  published(facts: readonly OrderFact[]): void {
    for (const fact of facts) if (this.#untold.get(keyOf(fact)) === fact) this.#untold.delete(keyOf(fact));
  }

  /** What the desk's own state holds is named, and made of it again in the next run. */
  carry(desk: DeskState): CarriedOrders {
    const isOpen = (fact: OrderFact) => isHeld(desk, fact);
    const facts = [...this.#waiting.values()].map(({ fact }) => fact);
    return {
      young: [...this.#young.keys()],
      open: facts.filter(isOpen).map(keyOf),
      ended: facts.filter((fact) => !isOpen(fact)),
      untold: newest([...this.#untold.values()], MOST_TOLD_TEXT),
    };
  }

  #open(desk: DeskState, { young = [], open = [], ended = [], untold = [] }: CarriedOrders): void {
    for (const { id, fact } of reopened(desk, young)) this.#young.set(id, fact);
    for (const { id, fact } of reopened(desk, open)) this.#wait(id, fact, true);
    for (const fact of ended) this.#wait(keyOf(fact), fact, false);
    for (const fact of untold) this.#untold.set(keyOf(fact), fact);
  }

  #wait(key: string, newer: OrderFact, isOpen: boolean): void {
    const known = this.#waiting.get(key);
    const fact = mergedFact(known?.fact, newer);
    const text = isOpen ? 0 : JSON.stringify(fact).length;
    this.#text += text - (known?.text ?? 0);
    this.#waiting.set(key, { fact, text });
  }

  #forget(key: string, { text }: Waiting): void {
    this.#waiting.delete(key);
    this.#text -= text;
  }

  #owe(key: string, fact: OrderFact): void {
    const known = this.#untold.get(key);
    this.#untold.set(key, mergedFact(known, fact));
    const [oldest] = this.#untold.keys();
    if (this.#untold.size > MOST_TOLD && oldest !== undefined) this.#untold.delete(oldest);
  }
}

function reopened(desk: DeskState, permitIds: readonly string[]) {
  return permitIds.flatMap((id) => {
    const fact = openFact(desk, id);
    return fact === undefined ? [] : [{ id, fact }];
  });
}

/** Whether the desk's own state still says all of it. */
function isHeld(desk: DeskState, { permit_id, fill }: OrderFact): boolean {
  const known = permit_id === undefined ? undefined : openFact(desk, permit_id);
  return known !== undefined && (fill === undefined || known.fill !== undefined);
}

/** Each order once, whoever reports it under which of its ids. */
function keyOf({ permit_id, order_id }: OrderFact): string {
  return permit_id ?? order_id;
}

function isBare(news: OrderEffect['news']): boolean {
  return news.every((each) => each === 'granted');
}

function isGrown({ updated_at }: OrderFact, now: number): boolean {
  return now - updated_at >= INTENDED_MS;
}

function first<T>(values: Iterable<T>, most: number): readonly T[] {
  const taken: T[] = [];
  for (const value of values) {
    if (taken.length >= most) break;
    taken.push(value);
  }
  return taken;
}
