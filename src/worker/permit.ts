/** One permit in the hand of the worker that asked for it: good for one request of its order, once, and not for long. */
import { performance } from 'node:perf_hooks';
import type { TradePermit } from '../activities/trade';
import type { PermitAnswer, PermitRequest, Settlement } from '../emergency/model';
import { scopesOf } from '../emergency/scopes';
import { HoldfastError } from '../errors';
import { present } from '../json';
import type { GateView } from './gate';

export type Grant = Extract<PermitAnswer, { granted: true }>;

export interface PermitSurroundings {
  readonly gate: GateView;
  readonly settle: (settlement: Settlement) => void;
  /** Milliseconds of a clock that never goes back; default the process's own. */
  readonly now?: () => number;
}

/**
 * Throws `EmergencyHalted` with scope, reason and epoch unless the order may go out as far as the gate knows. A purpose lets only
 * an order pass that is known to reduce, or that has yet to be judged by the desk.
 */
export function assertGateOpen(gate: GateView, request: PermitRequest, { mayReduce }: { mayReduce: boolean }): void {
  const scopes = scopesOf(request);
  const operates = request.purpose !== undefined && mayReduce;
  const verdict = operates ? gate.mayOperate(scopes) : gate.mayTrade(scopes);
  if (verdict.open) return;
  const { scope, reason, epoch } = verdict;
  throw new HoldfastError('EmergencyHalted', `${scope} is closed: ${reason}`, { scope, reason, epoch });
}

const FINAL: ReadonlySet<Settlement['outcome']> = new Set(['unused', 'rejected', 'closed']);

export class Permit implements Omit<TradePermit, 'client_order_id'> {
  readonly permit_id: string;
  readonly epoch: number;
  readonly reduces: boolean;
  /** On the clock of `now`. */
  readonly expires_at: number;
  readonly #request: PermitRequest;
  readonly #surroundings: PermitSurroundings;
  readonly #now: () => number;
  #state: 'fresh' | 'used' | 'void' = 'fresh';
  #voidedBy: unknown;
  #last: Settlement['outcome'] | undefined;

  /** `sentAt`: when its request was first sent; every later moment would make it live longer than the desk thinks. */
  constructor(request: PermitRequest, grant: Grant, sentAt: number, surroundings: PermitSurroundings) {
    this.permit_id = grant.permit_id;
    this.epoch = grant.epoch;
    this.reduces = grant.reduces;
    this.expires_at = sentAt + grant.lifetime_ms;
    this.#request = request;
    this.#surroundings = surroundings;
    this.#now = surroundings.now ?? (() => performance.now());
  }

  get isUsed(): boolean {
    return this.#state === 'used';
  }

  /** Whether anything was said of how its request ended. */
  get isSettled(): boolean {
    return this.#last !== undefined;
  }

  remainingMs(): number {
    return Math.max(0, this.expires_at - this.#now());
  }

  assertUsable(): void {
    if (this.#state === 'used') {
      throw new HoldfastError('AlreadyUsed', `permit ${this.permit_id} was used for a request before`);
    }
    if (this.#state === 'void') throw this.#voidedBy;
    try {
      this.#assertStillGood();
    } catch (error) {
      this.revoke(error);
      throw error;
    }
    this.#state = 'used';
  }

  /** Nobody uses it any more; `why` is what `assertUsable` throws from now on. One that was used stays used. */
  revoke(why: unknown): void {
    if (this.#state !== 'fresh') return;
    this.#void(why);
    this.settle('unused');
  }

  settle(outcome: Settlement['outcome'], filled_quantity?: string): void {
    if (this.#state === 'fresh') this.#void(new HoldfastError('PermitExpired', `it was settled as ${outcome}`));
    if (this.#state === 'used' && outcome === 'unused') return;
    if (this.#last === outcome || (this.#last !== undefined && FINAL.has(this.#last))) return;
    this.#last = outcome;
    this.#surroundings.settle({ permit_id: this.permit_id, outcome, ...present({ filled_quantity }) });
  }

  /** The desk has heard of its end in another way. */
  noteEnded(): void {
    this.#last = 'closed';
  }

  #void(why: unknown): void {
    this.#state = 'void';
    this.#voidedBy = why;
  }

  #assertStillGood(): void {
    const { gate } = this.#surroundings;
    if (this.#now() >= this.expires_at) {
      throw new HoldfastError('PermitExpired', `permit ${this.permit_id} was not used within its lifetime`);
    }
    assertGateOpen(gate, this.#request, { mayReduce: this.reduces });
    for (const scope of scopesOf(this.#request)) {
      const epoch = gate.epochOfLastHalt(scope);
      if (this.epoch >= epoch) continue;
      const reason = `it was halted after permit ${this.permit_id} was granted`;
      throw new HoldfastError('EmergencyHalted', `${scope}: ${reason}`, { scope, reason, epoch });
    }
  }
}
