/**
 * Closes what a scope holds: in passes, each of which plans anew by what the desk knows then, and sends at most one order for each target.
 *
 * - T1. What an order is known by is a function of this workflow, its target and its pass, and no pass begins before the venue has said of
 *   every order of the one before how it ended. So each order goes out at most once, whatever is killed.
 * - T2. A pass that finds nothing held, or nothing that another order would change, is the last; so is one after too many.
 * - T3. What rests of the scope is cancelled first, protective stops too: an open sell holds back the balance it would sell, and the part of
 *   the position that it may reduce. Cancels that take long are not waited for; they go on by themselves.
 */
import { ActivityFailure } from '@temporalio/common';
import {
  CancellationScope,
  ParentClosePolicy,
  continueAsNew,
  log,
  proxyActivities,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import {
  FlattenLedger,
  USUAL_SLIPPAGE_PERCENT,
  type ClosedOrder,
  type ClosingPlan,
  type ClosingTarget,
  type FlattenReport,
} from '../emergency/flatten';
import type { FlattenOrder } from '../emergency/model';
import { messageOf } from '../errors';
import type { OrderTrail } from '../graph/task';
import { present } from '../json';
import {
  CANCEL_OPEN_ORDERS,
  cancelsWorkflowId,
  flattenReportQuery,
  type CancelInput,
  type CarriedLeg,
  type FlattenInput,
} from './desk-messages';
import type { Trail } from './messages';

export interface FlattenActivities {
  /** What is held now. */
  planClosings(deskId: string, order: FlattenOrder): Promise<ClosingPlan>;
  /** One dispatch of one order. Throws when nobody can say whether it was sent. */
  closeTarget(step: ClosingStep): Promise<StepOutcome>;
  tellFlatten(deskId: string, report: FlattenReport): Promise<void>;
}

export interface ClosingStep {
  readonly desk_id: string;
  readonly target: ClosingTarget;
  readonly max_slippage_percent: string;
  /** Tells the orders of one target apart. */
  readonly pass: number;
  readonly dispatch: number;
  readonly trail: OrderTrail;
}

/** `pending`: it is out, or may be, and has not ended; `refused`: nothing of it is out. */
export type StepOutcome =
  | { readonly kind: 'ended'; readonly order: ClosedOrder }
  | { readonly kind: 'refused'; readonly code: string; readonly why: string }
  | { readonly kind: 'pending'; readonly why: string; readonly retry_in_ms: number; readonly memo: unknown };

const limits = { startToCloseTimeout: '1m', heartbeatTimeout: '3s' } as const;
const retry = { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '5s' } as const;
const { planClosings, tellFlatten } = proxyActivities<FlattenActivities>({ ...limits, retry });

const MOST_PASSES = 10;
/** The desk's own telling goes by the same worker, and is not to wait for orders. */
const AT_ONCE = 20;
const PAUSE_FIRST_MS = 250;
const PAUSE_MOST_MS = 5_000;
const CANCELS_WITHIN_MS = 15_000;
const LOST_AGAIN_MS = 250;
const HALTED_AGAIN_MS = 1_000;
const LONGEST_HISTORY = 4_000;

/** A cancel request would leave positions half closed and orders unheard of, so it is not heard; Temporal's terminate ends it. */
export async function flattenPositions(input: FlattenInput): Promise<FlattenReport> {
  return CancellationScope.nonCancellable(() => new Flatten(input).run());
}

class Flatten {
  readonly #input: FlattenInput;
  readonly #order: FlattenOrder;
  readonly #ledger: FlattenLedger;
  #pass: number;
  #hasCancelled: boolean;
  #legs: readonly Leg[];
  #isDone = false;

  constructor(input: FlattenInput) {
    const { desk_id: _desk, settings: _settings, carried, ...order } = input;
    const { pass = 0, has_cancelled = false, results = [], legs = [] } = carried ?? {};
    this.#input = input;
    this.#order = order;
    this.#ledger = new FlattenLedger(results);
    this.#pass = pass;
    this.#hasCancelled = has_cancelled;
    this.#legs = legs.map((leg) => new Leg(leg));
    setHandler(flattenReportQuery, () => this.#report());
  }

  async run(): Promise<FlattenReport> {
    const { desk_id, settings } = this.#input;
    while (!this.#isDone) {
      if (this.#legs.length === 0) await this.#plan();
      const queue = this.#legs.values();
      const lane = async () => {
        for (const leg of queue) await this.#follow(leg);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, lane));
      this.#legs = this.#legs.filter(({ isDone }) => !isDone);
      if (!this.#isLong) continue;
      const legs = this.#legs.map((leg) => leg.carry());
      const { results } = this.#ledger;
      const carried = { pass: this.#pass, has_cancelled: this.#hasCancelled, results, legs };
      return continueAsNew<typeof flattenPositions>({ ...this.#order, desk_id, carried, ...present({ settings }) });
    }
    const report = this.#report();
    await tellFlatten(desk_id, report);
    return report;
  }

  #report(): FlattenReport {
    return { ...this.#order, results: this.#ledger.results, is_done: this.#isDone };
  }

  async #plan(): Promise<void> {
    const targets = this.#ledger.plan(await planClosings(this.#input.desk_id, this.#order));
    if (targets.length === 0 || this.#pass === MOST_PASSES) {
      this.#ledger.close();
      this.#isDone = true;
    } else if (!this.#hasCancelled) {
      // What they free, and what was filled meanwhile, is in the next plan.
      this.#hasCancelled = true;
      await this.#cancel();
    } else {
      if (this.#pass > 0) await sleep(Math.min(PAUSE_MOST_MS, PAUSE_FIRST_MS * 2 ** (this.#pass - 1)));
      this.#pass += 1;
      this.#legs = targets.map((target) => new Leg({ target, dispatch: 0 }));
    }
  }

  async #cancel(): Promise<void> {
    const { desk_id } = this.#input;
    const { scope, epoch, reason, actor } = this.#order;
    const input: CancelInput = { desk_id, scope, epoch, reason, actor, cancel_stops: true };
    try {
      const child = await startChild(CANCEL_OPEN_ORDERS, {
        workflowId: cancelsWorkflowId(desk_id, epoch),
        staticSummary: `cancel what rests of ${scope}`,
        args: [input],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowTaskTimeout: workflowInfo().taskTimeoutMs,
      });
      const ended = child.result().catch(() => undefined);
      await Promise.race([ended, sleep(CANCELS_WITHIN_MS)]);
    } catch (error) {
      // What still rests holds back its own part, and the rest is closed all the same.
      log.warn('cancels_not_started', { scope, epoch, error: messageOf(error) });
    }
  }

  /** Until its order has ended, or this run has become long: each run makes at least one step. */
  async #follow(leg: Leg): Promise<void> {
    const { desk_id } = this.#input;
    const { max_slippage_percent = USUAL_SLIPPAGE_PERCENT } = this.#order;
    const { target } = leg;
    do {
      const outcome = await leg.dispatch({ desk_id, target, max_slippage_percent, pass: this.#pass });
      if (outcome.kind === 'ended') this.#ledger.ended(target, outcome.order);
      else if (outcome.kind === 'refused') this.#ledger.refused(target, outcome);
      else {
        this.#ledger.waits(target, outcome.why);
        await sleep(outcome.retry_in_ms);
      }
    } while (!leg.isDone && !this.#isLong);
  }

  get #isLong(): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    const { events_per_run: longest = LONGEST_HISTORY } = this.#input.settings ?? {};
    return historyLength > longest || continueAsNewSuggested;
  }
}

/** One order of one pass, over all its dispatches. */
class Leg {
  readonly target: ClosingTarget;
  #dispatch: number;
  #trail: Trail | undefined;
  #isDone = false;

  constructor({ target, dispatch, trail }: CarriedLeg) {
    this.target = target;
    this.#dispatch = dispatch;
    this.#trail = trail;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  carry(): CarriedLeg {
    return { target: this.target, dispatch: this.#dispatch, ...present({ trail: this.#trail }) };
  }

  async dispatch(step: Omit<ClosingStep, 'dispatch' | 'trail'>): Promise<StepOutcome> {
    this.#dispatch += 1;
    const outcome = await this.#try({ ...step, dispatch: this.#dispatch, trail: this.#orderTrail });
    if (outcome.kind === 'pending') {
      if (outcome.memo !== undefined) this.#trail = { memo: outcome.memo };
      return outcome;
    }
    // A gate that is closed says nothing of what an earlier dispatch may have sent.
    if (outcome.kind === 'refused' && outcome.code === 'EmergencyHalted' && this.#trail !== undefined) {
      return { kind: 'pending', why: outcome.why, retry_in_ms: HALTED_AGAIN_MS, memo: undefined };
    }
    this.#isDone = true;
    return outcome;
  }

  async #try(step: ClosingStep): Promise<StepOutcome> {
    const { venue, symbol, side } = step.target;
    const { closeTarget } = proxyActivities<FlattenActivities>({
      ...limits,
      retry: { maximumAttempts: 1 },
      summary: `${side} ${symbol} at ${venue}`,
    });
    try {
      return await closeTarget(step);
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      this.#trail = { lost: this.#dispatch, ...this.#trail };
      const why = 'nobody reported what became of its order, which is looked up';
      return { kind: 'pending', why, retry_in_ms: LOST_AGAIN_MS, memo: undefined };
    }
  }

  get #orderTrail(): OrderTrail {
    const { memo, lost } = this.#trail ?? {};
    return { ...present({ memo }), ...(lost === undefined ? {} : { lost: true }), permits_of: lost ?? this.#dispatch };
  }
}
