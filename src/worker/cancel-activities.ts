/**
 * What workflows that cancel orders ask of the venues. Run on the desk's task queue, where no node is before them; nothing here asks a
 * gate or needs a permit.
 *
 * - V1. Whether an order is gone is the venue's to say: its answer to the cancel, or what it shows of the order afterwards.
 * - V2. An order may have been filled in the moment before it was cancelled, and the venue may show it later. So one with a permit is
 *       looked at again, and its permit is settled `closed` only then.
 * - V3. While the venue does not show its list, what the desk knows is cancelled all the same; the list says later what became of the rest.
 * - V4. What the desk cannot be told now is tried again with the order: its cancel may be repeated, and what is told is cumulative.
 */
import { activityInfo } from '@temporalio/activity';
import {
  concernsAccount,
  pickOrders,
  protects,
  resultOf,
  type CancelOrder,
  type CancelReport,
  type CancelStatus,
  type CancelTarget,
} from '../emergency/cancels';
import type { Fill, Settlement } from '../emergency/model';
import type { AccountRef } from '../emergency/open-orders';
import { PERMIT_LIFETIME_MS } from '../emergency/permits';
import { scopesOf } from '../emergency/scopes';
import type { PermitStatus } from '../emergency/status';
import { HoldfastError, messageOf } from '../errors';
import { cancelsEvent } from '../events/build';
import type { OpenOrdersCancelled } from '../events/envelope';
import { present } from '../json';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { TradingVenue, VenueOrder, Venues } from '../venues/venue';
import type { CancelActivities, CancelRound, CancelStep, PickedOrders } from '../workflows/cancel-orders';
import type { DeskPorts } from './desk-activities';
import { whileAlive } from './while-alive';

type Desk = Pick<HoldfastClient, 'deskStatus' | 'openOrders' | 'recordAtDesk' | 'requestPermits'>;

export interface CancelPorts {
  readonly client: Desk;
  /** Those this worker can trade with are among them. */
  readonly venues: Venues;
  readonly publishEvents: DeskPorts['publishEvents'];
}

/** Cancels of one account at once. */
const AT_ONCE = 4;

export function createCancelActivities({ client, venues, publishEvents }: CancelPorts): CancelActivities {
  return {
    findAccounts: async (deskId, { scope }) => {
      const accounts = [...venues.values()].flatMap(({ profile: venue, trading }) =>
        trading === undefined ? [] : [{ venue, account: trading.account }],
      );
      const known = new Set(accounts.map(nameOf));
      const { open_permits } = await client.deskStatus(deskId);
      const concerned = open_permits.listed.filter((permit) => scopesOf(permit).includes(scope)).map(accountOf);
      const strange = new Map(concerned.filter((each) => !known.has(nameOf(each))).map((each) => [nameOf(each), each]));
      return {
        accounts: accounts.filter((account) => concernsAccount(scope, account)),
        unreachable: [...strange.values()],
      };
    },
    pickOrders: (desk_id, order, account) =>
      whileAlive(() => pick(client, tradingOf(venues, account), { desk_id, order, account })),
    cancelOrders: (round) => whileAlive(() => cancelAll(client, tradingOf(venues, round.account), round)),
    tellCancels: (deskId, report) => {
      const { workflowId } = activityInfo().workflowExecution ?? { workflowId: '' };
      return publishEvents([cancelsEvent(deskId, factOf(report), workflowId, Date.now())]);
    },
  };
}

function factOf({ scope, actor, reason, epoch, accounts, unreachable }: CancelReport): OpenOrdersCancelled {
  const orders = accounts.flatMap((account) => account.orders);
  const count = (wanted: CancelStatus) => orders.filter(({ status }) => status === wanted).length;
  return {
    type: 'open_orders_cancelled',
    ...{ controller_id: scope.slice(scope.indexOf(':') + 1), scope, actor, reason, ...present({ desk_epoch: epoch }) },
    ...{ cancelled: count('cancelled'), filled: count('filled'), not_found: count('not_found') },
    ...{ spared: count('spared'), unreachable: unreachable.map(nameOf) },
  };
}

function tradingOf(venues: Venues, { venue, account }: AccountRef): TradingVenue {
  const trading = venues.get(venue)?.trading;
  if (trading?.account === account) return trading;
  throw new HoldfastError('VenueRefused', `This worker cannot trade in the account ${account} of ${venue}.`);
}

interface Picking {
  readonly desk_id: string;
  readonly order: CancelOrder;
  readonly account: AccountRef;
}

async function pick(client: Desk, trading: TradingVenue, { desk_id, order, account }: Picking): Promise<PickedOrders> {
  // Before the venue is asked: an order that comes in between has a permit that is in the list, or one from after the halt.
  const { currency, unsettled, resting } = await client.openOrders({ ...account, offset: 0, all: true }, desk_id);
  const permits = [...unsettled, ...resting];
  const { fence_ms, query_lag_ms } = trading;
  const fenced_after_ms = fence_ms === undefined ? undefined : PERMIT_LIFETIME_MS + fence_ms + query_lag_ms;
  try {
    const picked = pickOrders(order, await trading.openOrders(undefined, { urgent: true }), permits);
    return { ...picked, terms: { currency, query_lag_ms, ...present({ fenced_after_ms }) } };
  } catch (error) {
    // One order in the list that cannot be read must not keep those that the desk knows. They are in the next list, or have ended by then.
    const { targets } = pickOrders(order, [], permits);
    const cancel_stops = order.cancel_stops === true;
    await cancelAll(client, trading, { desk_id, account, currency, cancel_stops, is_fenced: false, targets });
    throw error;
  }
}

async function cancelAll(client: Desk, trading: TradingVenue, round: CancelRound): Promise<readonly CancelStep[]> {
  const one = new OneByOne(client, trading, round);
  const steps: CancelStep[] = [];
  const queue = round.targets.values();
  const lane = async () => {
    for (const target of queue) steps.push(await one.tried(target));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return steps;
}

class OneByOne {
  readonly #client: Desk;
  readonly #trading: TradingVenue;
  readonly #round: CancelRound;

  constructor(client: Desk, trading: TradingVenue, round: CancelRound) {
    this.#client = client;
    this.#trading = trading;
    this.#round = round;
  }

  async tried(target: CancelTarget): Promise<CancelStep> {
    try {
      return await this.#try(target);
    } catch (error) {
      return pending(target, messageOf(error));
    }
  }

  async #try(target: CancelTarget): Promise<CancelStep> {
    if (target.check_at_ms !== undefined) return this.#check(target);
    if (target.may_protect) {
      const found = await this.#trading.find(target);
      if (found === undefined) return this.#notFound(target);
      if (found.status === 'open' && protects(found, true)) return this.#spare(target, found);
    }
    const answer = await this.#trading.cancel(target);
    if (answer.kind === 'cancelled') return this.#gone(target, answer.order);
    return answer.kind === 'ended' ? this.#check(target) : this.#notFound(target);
  }

  /** The cancel was answered. */
  async #gone(target: CancelTarget, order: VenueOrder): Promise<CancelStep> {
    const { permit, ...rest } = target;
    const result = endOf(target, order);
    if (permit === undefined) return { result };
    const again = { ...rest, permit, may_protect: false, check_at_ms: 0 };
    try {
      return { result: { ...result, ...(await this.#record(target, order)) }, again };
    } catch (error) {
      return { result: { ...result, why: messageOf(error) }, again };
    }
  }

  /** It has ended, by the venue's word: how, and what it filled in all. */
  async #check(target: CancelTarget): Promise<CancelStep> {
    const found = await this.#trading.find(target);
    if (found === undefined) return this.#notFound(target);
    if (found.status === 'open') return pending(uncancelled(target), 'the venue shows it open');
    const refused = await this.#record(target, found);
    await this.#settle(target, 'closed', found.filled_quantity);
    return { result: { ...endOf(target, found), ...refused } };
  }

  async #spare(target: CancelTarget, { filled_quantity }: VenueOrder): Promise<CancelStep> {
    await this.#settle(target, 'acknowledged');
    return { result: resultOf(target, 'spared', { filled_quantity }) };
  }

  async #notFound(target: CancelTarget): Promise<CancelStep> {
    if (!this.#round.is_fenced) return pending(target, 'the venue does not have it yet, and may still accept it');
    await this.#settle(target, 'closed');
    return { result: resultOf(target, 'not_found') };
  }

  /** What the desk refuses once it refuses always, so that is said and not tried again. Throws when the desk does not answer. */
  async #record(target: CancelTarget, order: VenueOrder): Promise<{ readonly why?: string }> {
    if (target.permit === undefined || order.filled_quantity === '0') return {};
    try {
      await this.#client.recordAtDesk('fill', this.#fillOf(target, target.permit, order), this.#round.desk_id);
      return {};
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.entry.retryable) throw error;
      return { why: `its fill was not recorded: ${error.message}` };
    }
  }

  #fillOf(target: CancelTarget, permit: NonNullable<CancelTarget['permit']>, order: VenueOrder): Fill {
    const { account, currency } = this.#round;
    const { filled_quantity, filled_notional, fees, updated_ms: at } = order;
    const { client_order_id: order_id, symbol, side } = target;
    return { ...account, order_id, ...permit, symbol, side, filled_quantity, filled_notional, fees, currency, at };
  }

  async #settle({ permit }: CancelTarget, outcome: Settlement['outcome'], filled_quantity?: string): Promise<void> {
    if (permit === undefined) return;
    const settlement = { permit_id: permit.permit_id, outcome, ...present({ filled_quantity }) };
    await this.#client.requestPermits({ requests: [], settlements: [settlement] }, this.#round.desk_id);
  }
}

function pending(target: CancelTarget, why: string): CancelStep {
  return { result: resultOf(target, 'pending', { why }), again: target };
}

function uncancelled({ check_at_ms: _at, ...target }: CancelTarget): CancelTarget {
  return target;
}

function endOf(target: CancelTarget, { status, filled_quantity }: VenueOrder) {
  return resultOf(target, status === 'filled' ? 'filled' : 'cancelled', { filled_quantity });
}

function nameOf({ venue, account }: AccountRef): string {
  return `${venue} ${account}`;
}

function accountOf({ venue, symbol, instrument }: PermitStatus): AccountRef {
  return { venue, account: instrument.slice(venue.length + 1, -symbol.length - 1) };
}
