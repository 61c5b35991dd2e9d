/**
 * Asks the desk for permits on behalf of all orders of one worker, and tells it how they ended.
 *
 * P1. One update at a time asks and one at a time tells, at most 200 requests and settlements in each; what gathers meanwhile is the
 *     next. Settlements travel with requests where they can: a request waits for another request, never for settlements alone. An update
 *     that is not answered within half a second no longer holds up the next.
 * P2. A request is answered within half a second, or the answer is no. What the desk may have granted all the same is settled `unused`.
 * P3. A settlement is told until the desk has taken it, in the order they were given.
 */
import { performance } from 'node:perf_hooks';
import type { PermitAnswer, PermitRequest, Settlement } from '../emergency/model';
import { HoldfastError, messageOf } from '../errors';
import type { DeskPort, PermitBatch } from './desk-port';
import type { GateView } from './gate';
import { Permit, assertGateOpen, type PermitSurroundings } from './permit';

export interface PermitDeskOptions {
  readonly port: Pick<DeskPort, 'requestPermits'>;
  readonly gate: GateView;
  /** The desk denied what the gate had let pass, so it knows of a halt that the gate does not. */
  readonly onHalted?: () => void;
  /** Hears why an update failed. */
  readonly onError?: (error: unknown) => void;
  /** Milliseconds of a clock that never goes back; default the process's own. */
  readonly now?: () => number;
}

export const MOST_PER_UPDATE = 200;
/** Settlements never crowd out requests, nor requests the settlements that make room for them. */
const MOST_SETTLEMENTS = MOST_PER_UPDATE / 2;
const DEADLINE_MS = 500;
const AGAIN_AFTER_MS = 250;
const BUSY_PAUSE_MS = 50;
const CLOSE_WITHIN_MS = 2_000;

interface Asked {
  readonly request: PermitRequest;
  readonly answered: (permit: Permit) => void;
  readonly refused: (error: HoldfastError) => void;
  readonly timer: NodeJS.Timeout;
  readonly deadline: number;
  sentAt?: number;
  isGivenUp: boolean;
}

export class PermitDesk {
  readonly #options: PermitDeskOptions;
  readonly #now: () => number;
  readonly #surroundings: PermitSurroundings;
  #waiting: Asked[] = [];
  #settlements: Settlement[] = [];
  /** Settlements of updates that nobody has heard the end of. */
  #telling = 0;
  #isKicked = false;
  /** An update is on its way that holds up the next one with requests. */
  #isAsking = false;
  /** The same for settlements. */
  #isTelling = false;
  #pause: NodeJS.Timeout | undefined;

  constructor(options: PermitDeskOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    const settle = (settlement: Settlement) => {
      this.settle(settlement);
    };
    this.#surroundings = { gate: options.gate, settle, now: this.#now };
  }

  /**
   * Throws the desk's own denial, `EmergencyHalted` without asking it where the gate is closed, `EmergencyUnreachable` when it does
   * not answer within half a second.
   */
  async request(request: PermitRequest): Promise<Permit> {
    assertGateOpen(this.#options.gate, request, { mayReduce: true });
    return new Promise((answered, refused) => {
      const timer = setTimeout(() => {
        this.#giveUp(asked);
      }, DEADLINE_MS);
      const deadline = this.#now() + DEADLINE_MS;
      const asked: Asked = { request, answered, refused, timer, deadline, isGivenUp: false };
      this.#waiting.push(asked);
      this.#kick();
    });
  }

  /** Returns at once; told in the background. Repeats are harmless. */
  settle(settlement: Settlement): void {
    this.#settlements.push(settlement);
    this.#kick();
  }

  /** Settlements the desk has not taken yet. */
  get unsettled(): number {
    return this.#settlements.length + this.#telling;
  }

  /** Tells what is left, as far as the deadline allows. Returns how many settlements nobody will tell any more. */
  async close({ deadline_ms = CLOSE_WITHIN_MS }: { readonly deadline_ms?: number } = {}): Promise<number> {
    const deadline = this.#now() + deadline_ms;
    while (this.unsettled > 0 && this.#now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    clearTimeout(this.#pause);
    return this.unsettled;
  }

  /** At the end of this turn, so that what is asked together travels together. */
  #kick(): void {
    if (this.#isKicked) return;
    this.#isKicked = true;
    queueMicrotask(() => {
      this.#isKicked = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#isAsking || this.#pause !== undefined) return;
    const settlements = this.#isTelling ? [] : this.#settlements.splice(0, MOST_SETTLEMENTS);
    const asked = this.#waiting.splice(0, MOST_PER_UPDATE - settlements.length);
    if (asked.length + settlements.length > 0) void this.#send(asked, settlements);
  }

  /** Holds up the next of its kind until its end, which is dealt with whenever it comes. */
  async #send(asked: readonly Asked[], settlements: readonly Settlement[]): Promise<void> {
    const [asks, tells] = [asked.length > 0, settlements.length > 0];
    this.#isAsking ||= asks;
    this.#isTelling ||= tells;
    const sentAt = this.#now();
    for (const each of asked) each.sentAt ??= sentAt;
    const batch: PermitBatch = { requests: asked.map(({ request }) => request), settlements };
    this.#telling += settlements.length;
    const ended = Promise.resolve()
      .then(() => this.#options.port.requestPermits(batch))
      .then(
        (answers) => {
          this.#telling -= settlements.length;
          this.#take(asked, answers);
        },
        (error: unknown) => {
          this.#telling -= settlements.length;
          this.#fail(asked, settlements, error);
        },
      );
    await within(DEADLINE_MS, ended);
    if (asks) this.#isAsking = false;
    if (tells) this.#isTelling = false;
    this.#kick();
  }

  #take(asked: readonly Asked[], answers: readonly PermitAnswer[]): void {
    asked.forEach((each, index) => {
      const answer = answers[index];
      this.#answer(each, answer?.permit_id === each.request.permit_id ? answer : undefined);
    });
  }

  #answer(asked: Asked, answer: PermitAnswer | undefined): void {
    const { request, sentAt = this.#now() } = asked;
    if (answer === undefined) {
      this.#unused(request);
      this.#refuse(asked, new HoldfastError('Unexpected', `the desk did not answer for permit ${request.permit_id}`));
    } else if (!answer.granted) {
      if (answer.code === 'DeskBusy' && this.#askLater(asked)) return;
      if (answer.code === 'EmergencyHalted') this.#options.onHalted?.();
      this.#refuse(asked, new HoldfastError(answer.code, answer.message, { permit_id: request.permit_id }));
    } else if (asked.isGivenUp) this.#unused(request);
    else {
      clearTimeout(asked.timer);
      asked.answered(new Permit(request, answer, sentAt, this.#surroundings));
    }
  }

  /** Nobody knows what the desk did with them. */
  #fail(asked: readonly Asked[], settlements: readonly Settlement[], error: unknown): void {
    this.#options.onError?.(error);
    this.#settlements = [...settlements, ...this.#settlements];
    for (const each of asked) {
      this.#unused(each.request);
      this.#refuse(each, new HoldfastError('EmergencyUnreachable', `The desk cannot be asked: ${messageOf(error)}`));
    }
    this.#rest(AGAIN_AFTER_MS);
  }

  /** The desk holds a full house or changes its run; its answers since then have the age of the first request all the same. */
  #askLater(asked: Asked): boolean {
    if (asked.isGivenUp || this.#now() + BUSY_PAUSE_MS >= asked.deadline) return false;
    this.#waiting.push(asked);
    this.#rest(BUSY_PAUSE_MS);
    return true;
  }

  #rest(ms: number): void {
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#kick();
    }, ms);
    this.#pause.unref();
  }

  #giveUp(asked: Asked): void {
    asked.isGivenUp = true;
    this.#waiting = this.#waiting.filter((each) => each !== asked);
    const { permit_id } = asked.request;
    asked.refused(
      new HoldfastError('EmergencyUnreachable', `The desk did not answer for permit ${permit_id} within 500 ms.`),
    );
  }

  #refuse(asked: Asked, error: HoldfastError): void {
    clearTimeout(asked.timer);
    asked.refused(error);
  }

  #unused({ permit_id }: PermitRequest): void {
    this.settle({ permit_id, outcome: 'unused' });
  }
}

async function within(ms: number, ended: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([ended, late]);
  clearTimeout(timer);
}
