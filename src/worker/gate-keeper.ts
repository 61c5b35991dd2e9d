/**
 * Keeps one gate: reads the desk whenever the gate needs it, and delivers commands whose commanders died after the closing.
 * Readings are made one after the other, so none overtakes another.
 */
import { performance } from 'node:perf_hooks';
import { commandOf, type Closing } from '../emergency/closing';
import type { Scope } from '../emergency/model';
import { HoldfastError } from '../errors';
import type { DeskPort } from './desk-port';
import { Gate, type GateVerdict, type GateView } from './gate';

export interface GateKeeperOptions {
  readonly port: Pick<DeskPort, 'read' | 'deliver'>;
  /** Hears why the desk could not be read or told. */
  readonly onError?: (error: unknown) => void;
  /** Milliseconds of a clock that never goes back; default the process's own. */
  readonly now?: () => number;
}

/** How long a command may take from its closing to the desk before it is delivered from here. */
const DELIVER_AFTER_MS = 1_000;
const DELIVER_OWN_AFTER_MS = 10_000;
/** Without a sign of life of Redis, or without an answer of the desk while Redis is away: a gap. */
const SILENCE_MS = 3_000;
/** How long the first reading waits for Redis, so that it is made by somebody who listens. */
const FIRST_WITHIN_MS = 2_000;
const SOON_MS = 50;
const WHILE_CLOSED_MS = 1_000;
/** Only for a closing that was lost on its way while everything seemed well. */
const AT_REST_MS = 5_000;
/** Command ids asked about in one reading. */
const MOST_ASKED = 100;

export class GateKeeper implements GateView {
  readonly #gate = new Gate();
  readonly #options: GateKeeperOptions;
  readonly #now: () => number;
  readonly #deliveries = new Set<NodeJS.Timeout>();
  #timer: NodeJS.Timeout | undefined;
  #isReading = false;
  #readAgain = false;
  #isLive = false;
  #isClosed = false;
  #lastBeat = 0;
  #lastReading: number;
  #soon = SOON_MS;

  constructor(options: GateKeeperOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#lastReading = this.#now();
    this.#readIn(FIRST_WITHIN_MS);
  }

  /** A closing whose signature was found good. */
  onClosing(closing: Closing): void {
    this.#gate.close(closing);
    if (!this.#gate.undecided().includes(closing)) return;
    this.#deliverLater(closing);
    this.#soon = SOON_MS;
    this.refresh();
  }

  onLive(): void {
    this.#isLive = true;
    this.onBeat();
    this.#gate.listening();
    this.refresh();
  }

  onBeat(): void {
    this.#lastBeat = this.#now();
  }

  onGap(): void {
    this.#isLive = false;
    this.#gate.gap();
    this.#soon = SOON_MS;
    this.refresh();
  }

  /** Reads the desk now, or once more after a reading that is under way. */
  refresh(): void {
    if (this.#isReading) this.#readAgain = true;
    else void this.#read();
  }

  mayTrade(scopes: readonly Scope[]): GateVerdict {
    this.#mindSilence();
    return this.#gate.mayTrade(scopes);
  }

  mayOperate(scopes: readonly Scope[]): GateVerdict {
    this.#mindSilence();
    return this.#gate.mayOperate(scopes);
  }

  mayNotify(scopes: readonly Scope[]): GateVerdict {
    return this.#gate.mayNotify(scopes);
  }

  epochOfLastHalt(scope: Scope): number {
    return this.#gate.epochOfLastHalt(scope);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const timer of this.#deliveries) clearTimeout(timer);
  }

  /** Asked at the moment of use: a process that was stopped and goes on has missed its own timers as well. */
  #mindSilence(): void {
    if (this.#isLive && this.#now() - this.#lastBeat > SILENCE_MS) this.onGap();
    if (!this.#isLive && !this.#gate.isBlind && this.#now() - this.#lastReading > SILENCE_MS) this.onGap();
  }

  async #read(): Promise<void> {
    if (this.#isClosed) return;
    this.#isReading = true;
    const asked = this.#gate.ask();
    const undecided = this.#gate.undecided().slice(0, MOST_ASKED);
    try {
      const began = this.#now();
      const reading = await this.#options.port.read(undecided.map(({ command_id }) => command_id));
      this.#gate.learn(reading, asked);
      this.#lastReading = began;
    } catch (error) {
      this.#options.onError?.(error);
    }
    this.#mindSilence();
    this.#isReading = false;
    this.#readIn(this.#readAgain ? 0 : this.#pause());
    this.#readAgain = false;
  }

  #pause(): number {
    if (this.#gate.isAtRest) return AT_REST_MS;
    if (!this.#gate.isBlind && this.#gate.undecided().length === 0) return WHILE_CLOSED_MS;
    const soon = this.#soon;
    this.#soon = Math.min(2 * soon, WHILE_CLOSED_MS);
    return soon;
  }

  #readIn(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.refresh();
    }, ms);
    this.#timer.unref();
  }

  #deliverLater(closing: Closing): void {
    const timer = setTimeout(() => {
      this.#deliveries.delete(timer);
      if (this.#gate.undecided().includes(closing)) void this.#deliver(closing);
    }, deliverAfter(closing));
    this.#deliveries.add(timer);
  }

  async #deliver(closing: Closing): Promise<void> {
    try {
      await this.#options.port.deliver(commandOf(closing));
    } catch (error) {
      this.#options.onError?.(error);
      if (!isDecision(error)) {
        if (!this.#isClosed) this.#deliverLater(closing);
        return;
      }
    }
    this.#gate.delivered(closing);
    this.refresh();
  }
}

/**
 * What the desk itself says it has decided is only waited for. Should its task have been lost after it said so, the halt is delivered in the
 * end, because a gate does not open by doubt.
 */
function deliverAfter({ epoch }: Closing): number {
  return epoch === undefined ? DELIVER_AFTER_MS : DELIVER_OWN_AFTER_MS;
}

/** The desk's no to a command, such as for a scope there is not, or another command under its id. */
function isDecision(error: unknown): boolean {
  return error instanceof HoldfastError && !error.entry.retryable && error.code !== 'Unexpected';
}
