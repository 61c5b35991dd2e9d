/**
 * What the desk has decided and must tell: events to everybody, notices to the executions concerned, the audit to the journal. Told after
 * the decision and never within it, so nothing that hangs outside holds up the next halt.
 */
import { permissionsOf } from '../emergency/scopes';
import type { CancelOrder } from '../emergency/cancels';
import type { Effect, FlattenOrder, Scope } from '../emergency/model';
import { emergencyEvent, riskEvent, type Publication } from '../events/build';
import { present } from '../json';
import type { AuditEntry } from '../journal/entry';
import { sinks } from './event-sink';
import { gateSinks } from './gate-sink';
import type { CarriedOutbox, EmergencyNotice } from './desk-messages';
import { newest } from './newest';
import type { OrderOutbox } from './order-outbox';

/** So that one message to the journal or the log stays small. */
const BATCH = 100;
/** While the journal is down its entries wait here; beyond this the oldest are in the desk's history alone. */
const MOST_AUDIT = 2_000;
const MOST_EVENTS = 500;
const MOST_HALTS = 500;
/**
 * Of what travels to the next run, in characters of JSON: with the desk's state it must stay under the 2 MiB the server takes, or the
 * desk could never go on. The newest are kept.
 */
const MOST_AUDIT_TEXT = 200_000;
const MOST_EVENT_TEXT = 100_000;
/** A desk is of no mode; the envelope has one. */
const MODE = 'paper';

export class DeskOutbox {
  readonly #deskId: string;
  #ordinal: number;
  #audit: AuditEntry[];
  #events: Publication[];
  /** The latest of each scope. */
  readonly #notices: Map<Scope, EmergencyNotice>;
  readonly #halts: Map<Scope, number>;
  #cancels: CancelOrder[];
  readonly #flattens: FlattenOrder[];
  readonly #orders: OrderOutbox | undefined;

  /** Without an outbox of orders none is told of. */
  constructor(deskId: string, carried: CarriedOutbox, orders?: OrderOutbox) {
    const { ordinal, audit, events, notices, halts, cancels = [], flattens = [] } = carried;
    this.#deskId = deskId;
    this.#orders = orders;
    this.#ordinal = ordinal;
    this.#audit = [...audit];
    this.#events = [...events];
    this.#notices = new Map(notices.map((notice) => [notice.scope, notice]));
    this.#halts = new Map(halts);
    this.#cancels = [...cancels];
    this.#flattens = [...flattens];
  }

  /** `at`: milliseconds since 1970. */
  take(effects: readonly Effect[], at: number): void {
    for (const effect of effects) this.#takeOne(effect, at);
  }

  get owesAudit(): boolean {
    return this.#audit.length > 0;
  }

  get owesEvents(): boolean {
    return this.#events.length > 0;
  }

  get owesNotices(): boolean {
    return this.#notices.size > 0;
  }

  nextAudit(): readonly AuditEntry[] {
    return this.#audit.slice(0, BATCH);
  }

  /** They are in the journal. */
  audited(entries: readonly AuditEntry[]): void {
    const last = entries.at(-1)?.ordinal ?? -1;
    this.#audit = this.#audit.filter(({ ordinal }) => ordinal > last);
  }

  nextEvents(): readonly Publication[] {
    return this.#events.slice(0, BATCH);
  }

  published(events: readonly Publication[]): void {
    this.#events = this.#events.filter((each) => !events.includes(each));
  }

  /** The epoch of the scope's latest halt; undefined when there was none, or it is forgotten. */
  haltOf(scope: Scope): number | undefined {
    return this.#halts.get(scope);
  }

  get haltedScopes(): readonly Scope[] {
    return [...this.#halts.keys()];
  }

  takeNotices(): readonly EmergencyNotice[] {
    const notices = [...this.#notices.values()];
    this.#notices.clear();
    return notices;
  }

  get owesCancels(): boolean {
    return this.#cancels.length > 0;
  }

  takeCancels(): readonly CancelOrder[] {
    return this.#cancels.splice(0);
  }

  get owesFlattens(): boolean {
    return this.#flattens.length > 0;
  }

  takeFlattens(): readonly FlattenOrder[] {
    return this.#flattens.splice(0);
  }

  carry(): Omit<CarriedOutbox, 'orders'> {
    return {
      ordinal: this.#ordinal,
      audit: newest(this.#audit, MOST_AUDIT_TEXT),
      events: newest(this.#events, MOST_EVENT_TEXT),
      notices: [...this.#notices.values()],
      halts: [...this.#halts],
      cancels: this.#cancels,
      flattens: this.#flattens,
    };
  }

  #takeOne(effect: Effect, at: number): void {
    switch (effect.kind) {
      case 'audit': {
        this.#audit.push(auditEntry(this.#deskId, this.#ordinal, effect));
        this.#ordinal += 1;
        if (this.#audit.length > MOST_AUDIT) this.#audit.shift();
        return;
      }
      case 'state_changed':
        this.#stateChanged(effect, at);
        return;
      case 'sealed':
        this.#publish(emergencyEvent(this.#deskId, MODE, sealedFact(effect), at));
        return;
      case 'order':
        this.#orders?.take(effect);
        return;
      case 'cancel_orders':
        this.#cancels.push(effect.order);
        return;
      case 'flatten':
        this.#flattens.push(effect.order);
        return;
      case 'limit':
        this.#publish(riskEvent(this.#deskId, MODE, riskFact(effect), at));
    }
  }

  #stateChanged(change: Extract<Effect, { kind: 'state_changed' }>, at: number): void {
    const { scope, previous, state, epoch, reason } = change;
    if (!permissionsOf(state).can_trade) {
      this.#close(change, at);
      if (change.cancel_open === true) this.#cancel(change);
    }
    this.#publish(emergencyEvent(this.#deskId, MODE, changedFact(change), at));
    if (!CONCERNS_EXECUTIONS.test(scope)) return;
    const isSame = previous === state || (permissionsOf(previous).can_trade && permissionsOf(state).can_trade);
    if (!isSame) this.#notices.set(scope, { state, scope, epoch, reason });
  }

  /** Every worker's gate, at once: a limit that trips has no commander to do it, nor has a signal from the Web UI. */
  #close({ scope, state, epoch, reason, actor }: Extract<Effect, { kind: 'state_changed' }>, at: number): void {
    this.#halts.delete(scope);
    this.#halts.set(scope, epoch);
    const [oldest] = this.#halts.keys();
    if (this.#halts.size > MOST_HALTS && oldest !== undefined) this.#halts.delete(oldest);
    const closed = state === 'shutdown' ? 'shutdown' : 'halt';
    const command_id = `epoch-${epoch}`;
    const common = { v: 1, desk: this.#deskId, scope, state: closed, command_id, reason, actor } as const;
    gateSinks.gates.close({ ...common, issued_at: at, epoch });
  }

  /** The newest of a scope means all that older ones do, but for stops. */
  #cancel({ scope, epoch, reason, actor, cancel_stops }: Extract<Effect, { kind: 'state_changed' }>): void {
    const isSame = (each: CancelOrder) => each.scope === scope && each.symbol === undefined;
    const withStops = cancel_stops === true || this.#cancels.some((each) => isSame(each) && each.cancel_stops === true);
    const flags = present({ cancel_stops: withStops || undefined });
    this.#cancels = [...this.#cancels.filter((each) => !isSame(each)), { scope, epoch, reason, actor, ...flags }];
  }

  /** By sink at once, which may be lost with its worker, and again until the log has it. */
  #publish(event: Publication): void {
    sinks.events.publish(event);
    this.#events.push(event);
    if (this.#events.length > MOST_EVENTS) this.#events.shift();
  }
}

/** Ordinals count from the millisecond the desk began, so they are above all of the desk before it. */
export function emptyOutbox(now: number): CarriedOutbox {
  return { ordinal: now, audit: [], events: [], notices: [], halts: [] };
}

/** A symbol or a venue judges the single order. */
const CONCERNS_EXECUTIONS = /^(global$|bot:|strategy:)/;

function auditEntry(desk_id: string, ordinal: number, effect: Extract<Effect, { kind: 'audit' }>): AuditEntry {
  const { at, action, actor, scope, reason, epoch, command_id, outcome, body } = effect;
  return { desk_id, ordinal, at, action, actor, scope, reason, epoch, outcome, body, ...present({ command_id }) };
}

function changedFact({ scope, previous, state, epoch, reason, actor }: Extract<Effect, { kind: 'state_changed' }>) {
  return {
    type: 'emergency_state_changed',
    controller_id: bareId(scope),
    scope,
    previous_state: previous,
    new_state: state,
    reason,
    actor,
    desk_epoch: epoch,
    sealed: false,
  } as const;
}

function sealedFact({ scope, state, epoch, halted_at, at }: Extract<Effect, { kind: 'sealed' }>) {
  return {
    type: 'emergency_state_changed',
    controller_id: bareId(scope),
    scope,
    previous_state: state,
    new_state: state,
    reason: `no order of it can be accepted any more, ${at - halted_at} ms after the halt`,
    actor: 'desk',
    desk_epoch: epoch,
    sealed: true,
  } as const;
}

function riskFact({ level, scope, limit, used, allowed, utilization, epoch }: Extract<Effect, { kind: 'limit' }>) {
  const type = `risk_limit_${level}` as const;
  return { type, controller_id: bareId(scope), scope, limit, used, allowed, utilization, desk_epoch: epoch };
}

/** `bot_001` of `bot:bot_001`. */
function bareId(scope: Scope): string {
  return scope.slice(scope.indexOf(':') + 1);
}
