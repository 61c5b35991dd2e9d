import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OrderLegs, type LegState, type OrderWish } from '../../src/activities/orders/order-legs';
import { OrderPending } from '../../src/activities/order-pending';
import type { PermitAnswer } from '../../src/emergency/model';
import { HoldfastError, messageOf } from '../../src/errors';
import type { OrderTrail } from '../../src/graph/task';
import { Gate } from '../../src/worker/gate';
import { PermitDesk } from '../../src/worker/permits';
import { AttemptTrade } from '../../src/worker/trade';
import { nodeContext } from '../support/node-context';
import { held, ScriptedDesk } from '../support/scripted-desk';
import { ScriptedVenue, type Fate } from '../support/scripted-venue';
import { tradeSurroundings } from '../support/trade-surroundings';
import { until } from '../support/until';

/** Grants each id once, as the desk does. */
class StrictDesk extends ScriptedDesk {
  readonly #granted = new Set<string>();

  override answer(permit_id: string): PermitAnswer {
    if (this.#granted.has(permit_id))
      return { permit_id, granted: false, code: 'AlreadyUsed', message: 'granted before' };
    this.#granted.add(permit_id);
    return super.answer(permit_id);
  }

  /** Somebody was granted it and never heard of again. */
  forget(permit_id: string): void {
    this.#granted.add(permit_id);
  }
}

const wish: OrderWish = {
  leg: 'order',
  order: { symbol: 'BTC/USDT', side: 'buy', type: 'limit', quantity: '1', price: '100' },
  worst_price: '100',
  currency: 'USDT',
};

class World {
  readonly desk = new StrictDesk();
  readonly venue = new ScriptedVenue();
  /** On the monotone clock of the legs: it runs faster, so that nothing is waited for. */
  #now = 0;
  wasReset = false;
  /** What is waited for before it is known whether it was. */
  untilKnown: () => Promise<void> = () => Promise.resolve();
  dispatches = 0;

  /** One dispatch of the node, and what it leaves to the next. */
  dispatch(trail: Omit<OrderTrail, 'permits_of'> & { permits_of?: number } = {}, patience_ms = 5_000) {
    this.dispatches += 1;
    const gate = new Gate();
    gate.learn(this.desk.reading(), gate.ask());
    const permits = new PermitDesk({ port: this.desk, gate });
    const { task, idempotency_key, signal, log } = nodeContext();
    const following = { permits_of: this.dispatches, ...trail };
    const attempt = { task: { ...task, dispatch: this.dispatches, trail: following }, idempotency_key, signal };
    const trade = new AttemptTrade(
      { ...attempt, run_id: 'run' },
      tradeSurroundings(permits, {
        recordFill: (fill) => this.desk.recordFill(fill),
        wasReset: async () => {
          await this.untilKnown();
          return this.wasReset;
        },
      }),
    );
    const context = { ...attempt, log, trade };
    const now = () => (this.#now += 250);
    const legs = new OrderLegs({ profile: 'paper', venue: this.venue, context, now, patience_ms });
    return { legs, trade, permits, place: () => legs.place(wish) };
  }
}

const failure = (placing: Promise<LegState>) =>
  placing.then(
    ({ kind }) => kind,
    (error: unknown) => (error as { code?: string }).code ?? messageOf(error),
  );

describe('an order of a node', () => {
  it('is sent once, and what it filled and that it has ended is one word to the desk', async () => {
    const world = new World();
    const { place, trade, permits } = world.dispatch();
    expect(await place()).toMatchObject({ kind: 'ended', order: { status: 'filled' } });
    trade.end();
    await until('all is told', () => permits.unsettled === 0);
    expect(world.desk.fills).toMatchObject([
      { filled_quantity: '1', symbol: 'BTC/USDT', venue: 'paper', ended: true, permit_id: expect.any(String) },
    ]);
    expect(world.desk.settlements).toEqual([]);
    expect(world.venue.submits).toHaveLength(1);
  });

  it('that rests and ends without a fill is said to rest once, and to have ended', async () => {
    const world = new World();
    world.venue.fates.push('rests');
    const first = world.dispatch();
    await first.place();
    first.trade.end();
    const { memo } = first.legs.pending('rests', { retry_in_ms: 1 });
    const second = world.dispatch({ memo });
    for (let looks = 0; looks < 3; looks += 1) await second.place();
    world.venue.change(world.venue.accepted[0]!.client_order_id, { status: 'expired' });
    expect(await second.place()).toMatchObject({ kind: 'ended' });
    await until('all is told', () => first.permits.unsettled + second.permits.unsettled === 0);
    // The next dispatch does not know whether the one before it was heard.
    expect(world.desk.settlements.map(({ outcome }) => outcome)).toEqual(['acknowledged', 'acknowledged', 'closed']);
    expect(world.desk.fills).toEqual([]);
  });

  it('that was accepted unheard is found and adopted', async () => {
    const world = new World();
    world.venue.fates.push('lost after');
    world.venue.hidden = 2;
    expect(await world.dispatch().place()).toMatchObject({ kind: 'ended' });
    expect(world.venue.submits).toHaveLength(1);
  });

  it('that never arrived is known as never placed once the venue can accept it no more', async () => {
    const world = new World();
    world.venue.fates.push('lost before');
    expect(await failure(world.dispatch().place())).toBe('OrderNotPlaced');
    await until('it is closed', () => world.desk.settlements.some(({ outcome }) => outcome === 'closed'));
    expect(world.venue.accepted).toEqual([]);
  });

  it('stays unknown where the venue honours no expiry, and while it does not answer', async () => {
    const world = new World();
    world.venue.fates.push('lost before');
    delete world.venue.fence_ms;
    expect(await failure(world.dispatch().place())).toBe('unknown');
    const other = new World();
    other.venue.fates.push('lost after');
    other.venue.isSilent = true;
    expect(await failure(other.dispatch().place())).toBe('unknown');
    expect(other.venue.submits).toHaveLength(1);
  });

  it('that is unknown is followed by the next dispatch, which sends nothing', async () => {
    const world = new World();
    world.venue.fates.push('lost after');
    world.venue.isSilent = true;
    const first = world.dispatch();
    await first.place();
    const { memo, type } = first.legs.pending('unknown', { retry_in_ms: 1 });
    expect(type).toBe('OrderUnknown');
    world.venue.isSilent = false;
    expect(await world.dispatch({ memo }).place()).toMatchObject({ kind: 'ended' });
    expect(world.venue.submits).toHaveLength(1);
  });

  it('that the venue rejects, or whose connection was never made, is not out', async () => {
    const world = new World();
    world.venue.fates.push('rejected', 'cut before');
    expect(await failure(world.dispatch().place())).toBe('OrderRejected');
    expect(await failure(world.dispatch().place())).toBe('no connection');
    await until('both are told', () => world.desk.settlements.length === 2);
    expect(world.desk.settlements.map(({ outcome }) => outcome)).toEqual(['rejected', 'unused']);
  });

  it('whose worker was lost before it asked is sent by the next one', async () => {
    const world = new World();
    world.dispatches = 1;
    expect(await world.dispatch({ lost: true, permits_of: 1 }).place()).toMatchObject({ kind: 'ended' });
    expect(world.venue.submits).toHaveLength(1);
  });

  it('whose worker was lost after its permit was granted is never sent again', async () => {
    const world = new World();
    world.dispatches = 1;
    const next = world.dispatch({ lost: true, permits_of: 1 });
    world.desk.forget(next.trade.idsOf('order').permit_id);
    expect(await failure(next.place())).toBe('OrderNotPlaced');
    expect(world.venue.submits).toEqual([]);
  });

  it('of a workflow that was reset is looked up before the desk is asked', async () => {
    const world = new World();
    await world.dispatch().place();
    const asked = world.desk.batches.flatMap(({ requests }) => requests).length;
    world.wasReset = true;
    world.dispatches = 0;
    expect(await world.dispatch().place()).toMatchObject({ kind: 'ended' });
    expect(world.desk.batches.flatMap(({ requests }) => requests)).toHaveLength(asked);
    expect(world.venue.submits).toHaveLength(1);
  });

  it('is decided while it is still asked whether its workflow was reset, and not where one is out', async () => {
    const world = new World();
    const { wait, release } = held();
    world.untilKnown = wait;
    let decisions = 0;
    const decide = () => {
      decisions += 1;
      return Promise.resolve(wish);
    };
    const ref = { leg: 'order', symbol: 'BTC/USDT', currency: 'USDT' };
    const first = world.dispatch();
    const placing = first.legs.placeDecided(ref, decide, { ahead: true });
    expect([decisions, world.desk.batches]).toEqual([1, []]);
    release();
    expect(await placing).toMatchObject({ kind: 'ended' });
    const { memo } = first.legs.pending('', { retry_in_ms: 1 });
    const before = decisions;
    expect(await world.dispatch({ memo }).legs.placeDecided(ref, decide, { ahead: true })).toMatchObject({
      kind: 'ended',
    });
    expect([decisions, world.venue.submits.length]).toEqual([before, 1]);
  });

  it('is as old as its first request, not as the dispatches before it that sent nothing', async () => {
    const world = new World();
    const { legs } = world.dispatch({ memo: { legs: {}, began_at: 1 } });
    expect(legs.began_at).toBe(1);
    await legs.place(wish);
    expect(legs.began_at).toBeGreaterThan(1);
  });

  it('that rests is acknowledged, and what it filled since is told with each look', async () => {
    const world = new World();
    world.venue.fates.push('rests');
    const first = world.dispatch();
    const state = await first.place();
    expect(state).toMatchObject({ kind: 'open' });
    const { memo, type } = first.legs.pending('rests', { retry_in_ms: 1 });
    expect(type).toBe('OrderOpen');
    const id = world.venue.accepted[0]!.client_order_id;
    world.venue.change(id, { filled_quantity: '0.4', filled_notional: '40' });
    await world.dispatch({ memo }).place();
    world.venue.change(id, { filled_quantity: '1', filled_notional: '100', status: 'filled' });
    expect(await world.dispatch({ memo }).place()).toMatchObject({ kind: 'ended' });
    expect(world.desk.fills.map(({ filled_quantity }) => filled_quantity)).toEqual(['0.4', '1']);
  });

  it('does not end before the desk has heard of its fills, but for one that refuses them for good', async () => {
    const world = new World();
    const { legs, trade } = world.dispatch();
    Object.assign(trade, { report: () => Promise.reject(new HoldfastError('EmergencyUnreachable', 'no answer')) });
    const pending: unknown = await legs.place(wish).catch((error: unknown) => error);
    expect(pending).toBeInstanceOf(OrderPending);
    expect(world.desk.settlements).toEqual([]);
    const next = world.dispatch({ memo: (pending as OrderPending).memo });
    Object.assign(next.trade, { report: () => Promise.reject(new HoldfastError('StaleInput', 'too old')) });
    expect(await next.place()).toMatchObject({ kind: 'ended' });
    await until('its end is told', () => world.desk.settlements.length === 1);
    expect(world.desk.settlements).toMatchObject([{ outcome: 'closed', filled_quantity: '1' }]);
    expect(world.venue.submits).toHaveLength(1);
  });
});

type Trail = Omit<OrderTrail, 'permits_of'> & { permits_of?: number };
type Life = 'no' | 'before it asked' | 'after it was granted' | 'after it was sent';

/** One dispatch that ends in this way; what the next one is given, or nothing when the node has ended. */
async function live(world: World, life: Life, trail: Trail): Promise<Trail | undefined> {
  const { legs, trade, place } = world.dispatch(trail);
  const lost: Trail = { ...trail, lost: true, permits_of: trail.permits_of ?? world.dispatches };
  if (life === 'before it asked') return lost;
  if (life === 'after it was granted') {
    world.desk.forget(trade.idsOf('order').permit_id);
    return lost;
  }
  const ended = await place().catch((error: unknown) => error);
  if (life === 'after it was sent') return lost;
  if (ended instanceof OrderPending) return { memo: ended.memo };
  if (ended instanceof Error || (ended as LegState).kind === 'ended') return undefined;
  return { memo: legs.pending('', { retry_in_ms: 1 }).memo };
}

describe('whatever happens to an order', () => {
  const fates = fc.constantFrom<Fate>('fills', 'rests', 'rejected', 'lost before', 'lost after', 'cut before');
  const crashes = fc.array(
    fc.constantFrom<Life>('no', 'before it asked', 'after it was granted', 'after it was sent'),
    {
      minLength: 1,
      maxLength: 4,
    },
  );

  it('the venue takes it at most once', async () => {
    await fc.assert(
      fc.asyncProperty(fates, crashes, fc.integer({ min: 0, max: 3 }), async (fate, lives, hidden) => {
        const world = new World();
        world.venue.fates.push(fate);
        world.venue.hidden = hidden;
        let trail: Trail | undefined = {};
        for (const life of lives) trail = trail && (await live(world, life, trail));
        expect(world.venue.accepted.length).toBeLessThanOrEqual(1);
        expect(world.venue.submits.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });
});
