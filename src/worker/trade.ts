/** The permits of one attempt of a node that trades. */
import { createHash } from 'node:crypto';
import type { OpenTrade, TradeAttempt } from '../activities/node-activities';
import type { EndedOrder, OrderDraft, OrderFill, OrderIds, PositionQuestion, TradePermit } from '../activities/trade';
import { assertMode } from '../activities/orders/accounts';
import type { Settlement } from '../emergency/model';
import { HoldfastError } from '../errors';
import type { Mode } from '../events/envelope';
import { present } from '../json';
import { decimal } from '../money';
import { runsAside } from '../graph/frame';
import type { DeskPort } from './desk-port';
import type { Permit } from './permit';
import { fillOf } from './permit-fill';
import type { PermitDesk } from './permits';

const ONLY_LEG = 'order';

export interface TradeSurroundings {
  readonly desk: Pick<PermitDesk, 'request' | 'settle'>;
  readonly recordFill: DeskPort['recordFill'];
  readonly reducible: DeskPort['reducible'];
  readonly openOrders: DeskPort['openOrders'];
  readonly wasReset: () => Promise<boolean>;
  /** Of a venue profile this worker has; undefined of others, which only own kinds know. */
  readonly modeOf: (venue: string) => Mode | undefined;
}

export class AttemptTrade implements OpenTrade {
  readonly wasReset: () => Promise<boolean>;
  readonly #attempt: TradeAttempt;
  readonly #desk: TradeSurroundings['desk'];
  readonly #recordFill: DeskPort['recordFill'];
  readonly #reducible: DeskPort['reducible'];
  readonly #openOrders: DeskPort['openOrders'];
  readonly #modeOf: TradeSurroundings['modeOf'];
  readonly #permits: Permit[] = [];
  /** What was last told of permits of earlier dispatches, whose orders are looked at again and again. */
  readonly #told = new Map<string, Settlement['outcome']>();
  #hasEnded = false;

  constructor(attempt: TradeAttempt, { desk, recordFill, reducible, openOrders, wasReset, modeOf }: TradeSurroundings) {
    this.#attempt = attempt;
    this.#desk = desk;
    this.#recordFill = recordFill;
    this.#reducible = reducible;
    this.#openOrders = openOrders;
    this.#modeOf = modeOf;
    this.wasReset = wasReset;
    attempt.signal.addEventListener('abort', () => {
      this.#revokeAll(attempt.signal.reason);
    });
  }

  async request(order: OrderDraft): Promise<TradePermit> {
    this.#attempt.signal.throwIfAborted();
    const { mode } = this.#attempt.task;
    assertMode({ profile: order.venue, mode: this.#modeOf(order.venue) ?? mode }, mode);
    const request = requestOf(order, this.#attempt);
    const permit = await this.#saying(() => this.#desk.request(request));
    this.#permits.push(permit);
    if (this.#attempt.signal.aborted) this.#revokeAll(this.#attempt.signal.reason);
    if (this.#hasEnded) this.#revokeAll(bodyHasEnded());
    return new AttemptPermit(permit, request, (error) => this.#said(error));
  }

  idsOf(leg = ONLY_LEG, permits_of?: number): OrderIds {
    return idsOf(this.#attempt, leg, permits_of);
  }

  /**
   * Tells nothing twice, and at the end of the body nothing of what was told: each word to the desk is an update of it, which the permit of
   * the next order may have to wait for.
   */
  settle(settlement: Settlement): void {
    const { permit_id, outcome, filled_quantity } = settlement;
    const permit = this.#permitOf(permit_id);
    if (permit !== undefined) permit.settle(outcome, filled_quantity);
    else if (this.#told.get(permit_id) !== outcome) {
      this.#told.set(permit_id, outcome);
      this.#desk.settle(settlement);
    }
  }

  async reducible(question: PositionQuestion): Promise<string> {
    const { bot_id, strategy_id } = this.#attempt.task;
    return this.#reducible({ ...question, ...present({ bot_id, strategy_id }) });
  }

  async report(fill: OrderFill): Promise<void> {
    const { bot_id, strategy_id } = this.#attempt.task;
    await this.#recordFill({ ...fill, ...present({ bot_id, strategy_id }) });
    if (fill.ended === true) this.#permitOf(fill.permit_id)?.noteEnded();
  }

  async tellEnd({ venue, account, order }: EndedOrder): Promise<void> {
    const { client_order_id, filled_quantity, updated_ms: at } = order;
    const { currency, unsettled, resting } = await this.#openOrders({ venue, account, offset: 0, all: true });
    const permit = [...unsettled, ...resting].find((each) => each.client_order_id === client_order_id);
    if (permit === undefined) return;
    if (decimal(filled_quantity).eq('0')) this.#desk.settle({ permit_id: permit.permit_id, outcome: 'closed' });
    else await this.#recordFill({ ...fillOf(permit, { venue, account, currency }, { ...order, at }), ended: true });
  }

  /** An order that went out and of which the body said nothing is unknown. */
  end(): void {
    this.#hasEnded = true;
    this.#revokeAll(bodyHasEnded());
    for (const permit of this.#permits) if (!permit.isSettled) permit.settle('unknown');
  }

  /** Of this attempt. */
  #permitOf(permit_id: string | undefined): Permit | undefined {
    return this.#permits.find((permit) => permit.permit_id === permit_id);
  }

  #revokeAll(why: unknown): void {
    for (const permit of this.#permits) permit.revoke(why);
  }

  async #saying<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw this.#said(error);
    }
  }

  /** A halt is told apart by whether an order of the attempt went out before: only a node that sent nothing may run once more. */
  #said(error: unknown): unknown {
    if (!(error instanceof HoldfastError) || error.code !== 'EmergencyHalted') return error;
    const unsent = !this.#permits.some(({ isUsed }) => isUsed);
    const { scope = 'global', reason = error.message, epoch = 0 } = error.details;
    return new HoldfastError('EmergencyHalted', error.message, { scope, reason, epoch, unsent });
  }
}

/** The same permit, whose refusals carry what is known of the attempt. */
class AttemptPermit implements TradePermit {
  readonly permit_id: string;
  readonly client_order_id: string;
  readonly epoch: number;
  readonly reduces: boolean;
  readonly #permit: Permit;
  readonly #said: (error: unknown) => unknown;

  constructor(permit: Permit, { client_order_id }: ReturnType<typeof requestOf>, said: (error: unknown) => unknown) {
    this.client_order_id = client_order_id;
    ({ permit_id: this.permit_id, epoch: this.epoch, reduces: this.reduces } = permit);
    this.#permit = permit;
    this.#said = said;
  }

  get isUsed(): boolean {
    return this.#permit.isUsed;
  }

  remainingMs(): number {
    return this.#permit.remainingMs();
  }

  assertUsable(): void {
    try {
      this.#permit.assertUsable();
    } catch (error) {
      throw this.#said(error);
    }
  }

  settle(...how: Parameters<TradePermit['settle']>): void {
    this.#permit.settle(...how);
  }
}

/**
 * The permit's id is new with every dispatch but one after a loss, and a node that trades is dispatched again only when it sent nothing or
 * follows what it sent: the desk never grants an id twice, not even one that was not used. Ids are hashes because the desk keeps thousands of
 * them, and venues take no long ones.
 */
function requestOf({ leg = ONLY_LEG, permits_of, ...order }: OrderDraft, attempt: TradeAttempt) {
  const { execution_id, workflow_id, mode, bot_id, strategy_id, frame } = attempt.task;
  const aside = runsAside({ path: frame }) ? ('on_halt' as const) : undefined;
  return {
    ...order,
    ...idsOf(attempt, leg, permits_of),
    ...{ execution_id, mode },
    ...present({ workflow_id, bot_id, strategy_id, purpose: attempt.purpose ?? aside }),
  };
}

function idsOf({ task, idempotency_key }: TradeAttempt, leg: string, permits_of?: number): OrderIds {
  const { first_run, trail, dispatch } = task;
  const of = [idempotency_key, ...(first_run === undefined ? [] : [first_run])];
  return {
    permit_id: idOf(...of, permits_of ?? trail?.permits_of ?? dispatch, leg),
    client_order_id: idOf(...of, leg),
  };
}

function idOf(...name: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(name)).digest('hex').slice(0, 32);
}

function bodyHasEnded(): HoldfastError {
  return new HoldfastError('PermitExpired', 'the body of the node has ended');
}
