/**
 * What a flatten asks of desk and venues. Run on the desk's task queue, where the credentials are and no node is before it; the orders are
 * those of a node that closes a position, by the same legs and the same permits.
 *
 * - X1. The permit is an operator's: it passes a halt, and the desk grants it only for what reduces. Nothing passes a shutdown.
 * - X2. A step says how its order ended, or that nothing of it is out, or that it is to be followed. Where it cannot it fails, and the next
 *   step looks the order up before it asks for anything.
 */
import { activityInfo } from '@temporalio/activity';
import { classifyError } from '../activities/classify-error';
import type { OpenTrade, TradeAttempt } from '../activities/node-activities';
import { OrderPending } from '../activities/order-pending';
import { accountAt } from '../activities/orders/accounts';
import { decideClosing, NothingToClose } from '../activities/orders/closing';
import { refOf, type OrderPlace } from '../activities/orders/decide';
import { placeAndFollow } from '../activities/orders/follow';
import { OrderLegs } from '../activities/orders/order-legs';
import { USUAL_PRICE_AGE } from '../activities/orders/prices';
import { closingKey, closingTargets, type ClosingTarget, type FlattenReport } from '../emergency/flatten';
import type { AccountRef } from '../emergency/open-orders';
import { HoldfastError } from '../errors';
import { flattenEvent } from '../events/build';
import type { PositionsFlattened } from '../events/envelope';
import { present } from '../json';
import type { Logger } from '../logging';
import { decimal } from '../money';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { VenueOrder, Venues } from '../venues/venue';
import type { ClosingStep, FlattenActivities, StepOutcome } from '../workflows/flatten-positions';
import type { DeskPorts } from './desk-activities';
import { whileAlive } from './while-alive';

export interface FlattenPorts {
  readonly client: Pick<HoldfastClient, 'deskFigures'>;
  /** Those this worker can trade with are among them. */
  readonly venues: Venues;
  /** Absent where nothing can trade. */
  readonly openTrade?: (attempt: TradeAttempt) => OpenTrade;
  readonly publishEvents: DeskPorts['publishEvents'];
  readonly log: Logger;
}

/** A step looks and waits for half a minute at most. */
const STEP_WITHIN_MS = 30_000;

export function createFlattenActivities(ports: FlattenPorts): FlattenActivities {
  const { client, venues, publishEvents, log } = ports;
  return {
    planClosings: async (deskId, { scope }) => {
      const { positions } = await client.deskFigures(deskId);
      const targets = closingTargets(scope, positions);
      const canTrade = ({ venue, account }: AccountRef) => venues.get(venue)?.trading?.account === account;
      return { targets: targets.filter(canTrade), unreachable: targets.filter((target) => !canTrade(target)) };
    },
    closeTarget: (step) => whileAlive(() => new ClosingAttempt(ports, step).outcome()),
    tellFlatten: async (deskId, report) => {
      const { scope, actor, reason, results } = report;
      const said = results.map(({ orders, ...result }) => ({ ...result, orders: orders.length }));
      log.warn({ desk_id: deskId, scope, actor, reason, results: said }, 'positions_flattened');
      await publishEvents([flattenEvent(deskId, factOf(report), Date.now())]);
    },
  };
}

function factOf({ scope, actor, reason, epoch, command_id, results }: FlattenReport): PositionsFlattened {
  const count = (wanted: string) => results.filter(({ status }) => status === wanted).length;
  return {
    type: 'positions_flattened',
    ...{ controller_id: scope.slice(scope.indexOf(':') + 1), scope, actor, reason, desk_epoch: epoch, command_id },
    ...{ closed: count('closed'), partly_closed: count('partly_closed'), nothing: count('nothing') },
    ...{ refused: count('refused'), not_filled: count('not_filled'), unreached: count('unreachable') },
  };
}

class ClosingAttempt {
  readonly #ports: FlattenPorts;
  readonly #step: ClosingStep;
  readonly #signal = AbortSignal.timeout(STEP_WITHIN_MS);

  constructor(ports: FlattenPorts, step: ClosingStep) {
    this.#ports = ports;
    this.#step = step;
  }

  async outcome(): Promise<StepOutcome> {
    try {
      return { kind: 'ended', order: closed(await this.#order()) };
    } catch (error) {
      // It was told to end in the middle of something.
      if (this.#signal.aborted && !(error instanceof OrderPending)) throw error;
      return failureOf(error, this.#step.target);
    }
  }

  async #order(): Promise<VenueOrder> {
    const { target, max_slippage_percent } = this.#step;
    const { venue, trading } = accountAt(this.#ports.venues, target.venue);
    const trade = this.#open(venue.mode);
    try {
      const { dispatch, trail } = this.#step;
      const context = { task: { dispatch, trail }, signal: this.#signal, log: this.#ports.log, trade };
      const legs = new OrderLegs({ profile: target.venue, venue: trading, context });
      const place: OrderPlace = { venue, trading, leg: 'order', symbol: target.symbol, side: target.side };
      const bounds = { max_slippage_percent, max_price_age: USUAL_PRICE_AGE };
      const decide = () => decideClosing(place, { quantity: target.quantity, ...bounds }, trade);
      return await placeAndFollow(refOf(place), decide, { legs, venue: trading, context });
    } finally {
      trade.end();
    }
  }

  #open(mode: TradeAttempt['task']['mode']): OpenTrade {
    const { openTrade } = this.#ports;
    if (openTrade === undefined)
      throw new HoldfastError('VenueRefused', 'This worker has no way to the desk’s permits.');
    const { target, pass, dispatch, trail, desk_id: desk } = this.#step;
    const { workflowId: execution_id = '', runId: run_id = '' } = activityInfo().workflowExecution ?? {};
    const { bot_id, strategy_id } = target;
    const task = { execution_id, mode, desk, frame: '', dispatch, trail, ...present({ bot_id, strategy_id }) };
    const idempotency_key = closingKey(execution_id, target, pass);
    return openTrade({ task, idempotency_key, signal: this.#signal, run_id, purpose: 'operator' });
  }
}

function closed({ client_order_id, quantity, filled_quantity, filled_notional }: VenueOrder) {
  return { client_order_id, quantity, filled_quantity, filled_notional };
}

function failureOf(error: unknown, { side }: ClosingTarget): StepOutcome {
  if (error instanceof OrderPending) {
    const { message: why, retry_in_ms, memo } = error;
    return { kind: 'pending', why, retry_in_ms, memo };
  }
  if (error instanceof NothingToClose) return { kind: 'refused', ...nothingWords(error, side) };
  const { type: code, message: why } = classifyError(error);
  return { kind: 'refused', code, why };
}

/** Which of the two is not there; where both are, what was asked for is less than the market trades. */
function nothingWords({ proven, free, step }: NothingToClose, side: ClosingTarget['side']) {
  const lacks = (amount: string) => decimal(amount).lt(decimal(step)) || decimal(amount).eq('0');
  if (lacks(proven))
    return { code: 'LimitExceeded', why: `orders that are out, or its account, leave ${proven} to reduce` };
  if (lacks(free)) return { code: 'InsufficientFunds', why: `the account has ${free} free to ${side}` };
  return { code: 'OrderRejected', why: `it is less than one step of the market, ${step}` };
}
