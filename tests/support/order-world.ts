/** Order kinds run without Temporal: dispatch by dispatch, at scripted venues, by a desk that grants each id once. */
import { createKinds } from '../../src/activities/kinds';
import type { NodeOutcome } from '../../src/activities/define-node';
import { OrderPending } from '../../src/activities/order-pending';
import type { PermitAnswer } from '../../src/emergency/model';
import { HoldfastError } from '../../src/errors';
import type { OrderTrail } from '../../src/graph/task';
import type { Venue } from '../../src/venues/venue';
import { Gate } from '../../src/worker/gate';
import { PermitDesk } from '../../src/worker/permits';
import { AttemptTrade } from '../../src/worker/trade';
import { nodeContext } from './node-context';
import { ScriptedDesk } from './scripted-desk';
import { ScriptedVenue } from './scripted-venue';
import { tradeSurroundings } from './trade-surroundings';

/** Grants each id once, and nothing for symbols that are denied. */
class StrictDesk extends ScriptedDesk {
  readonly denied = new Map<string, PermitAnswer & { granted: false }>();
  readonly #granted = new Set<string>();

  override answer(permit_id: string): PermitAnswer {
    const request = this.batches.flatMap(({ requests }) => requests).find((each) => each.permit_id === permit_id);
    const denial = this.denied.get(request?.venue ?? '');
    if (denial !== undefined) return { ...denial, permit_id };
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

export class ScriptedMarket {
  readonly trading = new ScriptedVenue();
  last = '100';
  age_ms = 0;
  isDead = false;
  reads = 0;
  mode: Venue['mode'] = 'paper';

  venue(profile: string): Venue {
    const mode = () => this.mode;
    return {
      profile,
      get mode() {
        return mode();
      },
      now: () => 1_000_000,
      candles: () => Promise.resolve([]),
      ticker: (symbol) => {
        this.reads += 1;
        if (this.isDead) return Promise.reject(new Error('no prices'));
        return Promise.resolve({
          symbol,
          last: this.last,
          time_ms: 1_000_000 - this.age_ms,
          bid: '99.9',
          ask: '100.1',
        });
      },
      trading: this.trading,
    };
  }
}

export class OrderWorld {
  readonly desk = new StrictDesk();
  readonly a = new ScriptedMarket();
  readonly b = new ScriptedMarket();
  readonly kinds = createKinds({
    venues: new Map([
      ['a', this.a.venue('a')],
      ['b', this.b.venue('b')],
      ['watched', { profile: 'watched', mode: 'paper', now: () => 0 } as unknown as Venue],
    ]),
  });
  /** What the desk knows to be held. */
  held = '0';
  /** The desk hears of no fill, so nothing that has filled is done with. */
  isDeaf = false;
  #dispatch = 0;

  /** One dispatch of a node of this type. */
  async run(type: string, fields: Record<string, unknown>, trail: Partial<OrderTrail> = {}): Promise<NodeOutcome> {
    this.#dispatch += 1;
    const gate = new Gate();
    gate.learn(this.desk.reading(), gate.ask());
    const { task, idempotency_key, signal, log } = nodeContext();
    const following = { permits_of: this.#dispatch, ...trail };
    const attempt = { task: { ...task, dispatch: this.#dispatch, trail: following }, idempotency_key, signal };
    const trade = new AttemptTrade(
      { ...attempt, run_id: 'run' },
      tradeSurroundings(new PermitDesk({ port: this.desk, gate }), {
        recordFill: (fill) =>
          this.isDeaf
            ? Promise.reject(new HoldfastError('EmergencyUnreachable', 'no answer'))
            : this.desk.recordFill(fill),
        reducible: () => Promise.resolve(this.held),
        openOrders: (question) => this.desk.openOrders(question),
        modeOf: (venue) => ({ a: this.a, b: this.b })[venue]?.mode,
      }),
    );
    return this.kinds.get(type)!.run(fields, { ...attempt, log, trade });
  }

  /** Dispatch by dispatch until it has ended. */
  async toTheEnd(type: string, fields: Record<string, unknown>, most = 20): Promise<NodeOutcome> {
    let trail: Partial<OrderTrail> = {};
    for (let left = most; left > 0; left -= 1) {
      const ended = await this.run(type, fields, trail).catch((error: unknown) => error);
      if (!(ended instanceof OrderPending)) {
        if (ended instanceof Error) throw ended;
        return ended as NodeOutcome;
      }
      trail = { memo: ended.memo };
    }
    throw new Error(`no end within ${most} dispatches`);
  }

  get asked() {
    return this.desk.batches.flatMap(({ requests }) => requests);
  }
}
