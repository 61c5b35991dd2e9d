/**
 * What one worker knows of one desk, and whether something may go out by it. A state machine without clock and connections.
 *
 * A1. It is blind at first and after every gap, and closed for trade while it is.
 * A2. A closing closes its scope at once. Nothing but a reading of the desk opens it again, and only one that was asked for after the
 *     closing was heard, and that knows its command; or that was asked for after the command was delivered for the commander.
 * A3. Of two readings the one with the higher epoch holds; one with a lower epoch changes nothing.
 * A4. Whatever may have been halted and resumed unseen (behind a closing, a gap, or while nobody listened) counts as a halt at the
 *     epoch of the reading that opens again: a permit from before is of no use, one from after is.
 */
import { canonicalClosing, type Closing } from '../emergency/closing';
import type { Scope } from '../emergency/model';
import { GLOBAL, permissionsOf } from '../emergency/scopes';
import type { DeskReading, ScopeReading } from './desk-port';

export type GateVerdict =
  | { readonly open: true }
  | { readonly open: false; readonly scope: Scope; readonly reason: string; readonly epoch: number };

/** What the gate is asked by whoever is about to act. `scopes` need not name `global`, which always counts. */
export interface GateView {
  /** An increasing order. */
  mayTrade(scopes: readonly Scope[]): GateVerdict;
  /** A reducing order of `on_halt` or an operator: a halt lets it pass, a shutdown does not. */
  mayOperate(scopes: readonly Scope[]): GateVerdict;
  /** What tells the outside without trading: like an increasing order, but a gate that merely does not know lets it pass. */
  mayNotify(scopes: readonly Scope[]): GateVerdict;
  /** Permits with an older epoch are of no use in this scope. */
  epochOfLastHalt(scope: Scope): number;
}

type Permission = 'can_trade' | 'can_operate';

interface Pending {
  readonly closing: Closing;
  readonly heard: number;
  delivered?: number;
}

/** Closings that were decided and may arrive once more: as many as a desk's commanders give in the half minute one is good for. */
const MOST_DECIDED = 1_000;
const OPEN: GateVerdict = { open: true };

export class Gate implements GateView {
  /** Counts what closed: the order of closings, gaps and readings. */
  #moment = 1;
  #blindSince: number | undefined = 1;
  /** Nobody listens, so what the desk does between two readings is not heard. */
  #isDeaf = true;
  #listeningSince: number | undefined;
  #epoch = 0;
  #scopes: ReadonlyMap<Scope, ScopeReading> = new Map();
  readonly #pending = new Map<string, Pending>();
  readonly #decided = new Set<string>();
  #lastHaltOfAll = 0;
  readonly #lastHalts = new Map<Scope, number>();

  /** One that was decided before is a repetition and changes nothing. */
  close(closing: Closing): void {
    const key = canonicalClosing(closing);
    if (this.#pending.has(key) || this.#decided.has(key)) return;
    this.#pending.set(key, { closing, heard: ++this.#moment });
  }

  /** Closings may have been missed. */
  gap(): void {
    this.#isDeaf = true;
    this.#listeningSince = undefined;
    this.#blindSince = ++this.#moment;
  }

  /** Closings are heard from now on. */
  listening(): void {
    this.#listeningSince = ++this.#moment;
  }

  /** To be taken when a reading is asked for, and given to `learn` with its answer. */
  ask(): number {
    return this.#moment;
  }

  learn(reading: DeskReading, asked: number): void {
    if (reading.epoch < this.#epoch) return;
    const mayHaveMissed = this.#isDeaf && reading.epoch > this.#epoch;
    if (mayHaveMissed) this.#lastHaltOfAll = reading.epoch;
    this.#takeScopes(reading);
    for (const [key, pending] of this.#pending) {
      if (isDecided(pending, reading, asked)) this.#decide(key, pending, reading.epoch);
    }
    this.#epoch = reading.epoch;
    if (this.#blindSince !== undefined && asked >= this.#blindSince) this.#blindSince = undefined;
    if (this.#listeningSince !== undefined && asked >= this.#listeningSince) this.#isDeaf = false;
  }

  /** The desk has decided the command of a closing: the next reading that is asked for says what came of it. */
  delivered(closing: Closing): void {
    const pending = this.#pending.get(canonicalClosing(closing));
    if (pending !== undefined) pending.delivered ??= ++this.#moment;
  }

  /** Closings whose commands no reading has known yet, the oldest first. */
  undecided(): readonly Closing[] {
    return [...this.#pending.values()].map(({ closing }) => closing);
  }

  /** Neither blind nor deaf, and nothing is closed. */
  get isAtRest(): boolean {
    const closed = [...this.#scopes.values()].some(({ state }) => !permissionsOf(state).can_trade);
    return this.#blindSince === undefined && !this.#isDeaf && this.#pending.size === 0 && !closed;
  }

  get isBlind(): boolean {
    return this.#blindSince !== undefined;
  }

  mayTrade(scopes: readonly Scope[]): GateVerdict {
    return this.#blindness() ?? this.mayNotify(scopes);
  }

  mayNotify(scopes: readonly Scope[]): GateVerdict {
    return this.#judge(scopes, 'can_trade');
  }

  mayOperate(scopes: readonly Scope[]): GateVerdict {
    return this.#blindness() ?? this.#judge(scopes, 'can_operate');
  }

  epochOfLastHalt(scope: Scope): number {
    return Math.max(this.#lastHaltOfAll, this.#lastHalts.get(scope) ?? 0);
  }

  #blindness(): GateVerdict | undefined {
    if (this.#blindSince === undefined) return undefined;
    return { open: false, scope: GLOBAL, reason: 'the emergency desk has not been read', epoch: this.#epoch };
  }

  #judge(scopes: readonly Scope[], permission: Permission): GateVerdict {
    const concerned = new Set([GLOBAL, ...scopes]);
    return this.#announced(concerned, permission) ?? this.#inForce(concerned, permission) ?? OPEN;
  }

  #announced(concerned: ReadonlySet<Scope>, permission: Permission): GateVerdict | undefined {
    for (const { closing } of this.#pending.values()) {
      const { scope, state, reason, epoch = this.#epoch } = closing;
      if (concerned.has(scope) && !permissionsOf(state)[permission]) return { open: false, scope, reason, epoch };
    }
    return undefined;
  }

  #inForce(concerned: ReadonlySet<Scope>, permission: Permission): GateVerdict | undefined {
    for (const scope of concerned) {
      const known = this.#scopes.get(scope);
      if (known === undefined || permissionsOf(known.state)[permission]) continue;
      const { state, epoch, reason = `it is in ${state}` } = known;
      return { open: false, scope, reason, epoch };
    }
    return undefined;
  }

  #takeScopes(reading: DeskReading): void {
    const now = new Map(reading.scopes.map((each) => [each.scope, each]));
    for (const [scope, { state }] of this.#scopes) {
      const isOpen = permissionsOf(now.get(scope)?.state ?? 'normal').can_trade;
      if (!permissionsOf(state).can_trade && isOpen) this.#halted(scope, reading.epoch);
    }
    for (const { scope, state, epoch, halted_epoch = 0 } of reading.scopes) {
      this.#halted(scope, permissionsOf(state).can_trade ? halted_epoch : Math.max(epoch, halted_epoch));
    }
    this.#scopes = now;
  }

  #decide(key: string, { closing }: Pending, epoch: number): void {
    this.#pending.delete(key);
    this.#halted(closing.scope, epoch);
    this.#decided.add(key);
    for (const oldest of this.#decided) {
      if (this.#decided.size <= MOST_DECIDED) break;
      this.#decided.delete(oldest);
    }
  }

  #halted(scope: Scope, epoch: number): void {
    if (epoch > (this.#lastHalts.get(scope) ?? 0)) this.#lastHalts.set(scope, epoch);
  }
}

function isDecided({ closing, heard, delivered }: Pending, reading: DeskReading, asked: number): boolean {
  if (delivered !== undefined && asked >= delivered) return true;
  const { command_id, epoch } = closing;
  const isKnown = epoch === undefined ? reading.known_commands.includes(command_id) : reading.epoch >= epoch;
  return isKnown && asked >= heard;
}
