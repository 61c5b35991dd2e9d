/**
 * How the desk stands; Prometheus reads it from `/metrics`. Counts and shares by kind of scope: who scrapes shows no token, so no bot,
 * strategy, venue or symbol is named, and the number of series does not grow with theirs.
 */
import { Gauge, type Registry } from 'prom-client';
import type { LimitName, Scope } from '../emergency/model';
import { GLOBAL, SCOPE_KINDS, permissionsOf } from '../emergency/scopes';
import type { DeskStatus, ScopeStatus } from '../emergency/status';
import { decimal } from '../money';
import { isWholeNumber, wholeNumber } from '../whole-number';
import { Recent } from './recent';
import { soon } from './soon';

const NOT_NORMAL = ['alert', 'halt', 'shutdown'] as const;
/** The desk tells four digits of a utilisation. */
const SCALE = '10000';

export class DeskMetrics {
  readonly #registers: Registry[];
  readonly #answering: Gauge;
  readonly #epoch: Gauge;
  readonly #scopes: Gauge<'kind' | 'state'>;
  readonly #unsealed: Gauge;
  readonly #permits: Gauge;
  readonly #unknown: Gauge;
  readonly #unsettled: Gauge;
  readonly #utilization: Gauge<'kind' | 'limit'>;
  #status: Recent<DeskStatus> | undefined;

  constructor(registry: Registry) {
    this.#registers = [registry];
    this.#answering = this.#gauge('holdfast_desk_answering', '1 while the desk answers within two seconds, else 0.');
    this.#epoch = this.#gauge('holdfast_desk_epoch', 'Epoch of the desk; every change of a state is a new one.');
    this.#scopes = new Gauge({
      name: 'holdfast_desk_scopes',
      help: 'Scopes in a state by causes of their own; `global` is one.',
      labelNames: ['kind', 'state'],
      registers: this.#registers,
    });
    this.#unsealed = this.#gauge('holdfast_desk_unsealed_scopes', 'Halted scopes whose seal has not come.');
    this.#permits = this.#gauge('holdfast_desk_open_permits', 'Permits whose order is not known to have ended.');
    this.#unknown = this.#gauge(
      'holdfast_desk_unknown_permits',
      'Open permits of which nobody knows what the venue made of the order.',
    );
    this.#unsettled = this.#gauge(
      'holdfast_desk_unsettled_permits',
      'Increasing permits whose order a venue may still accept.',
    );
    this.#utilization = new Gauge({
      name: 'holdfast_desk_limit_utilization_ratio',
      help: 'The most that is used of this limit in a scope of this kind; 1 is all of it.',
      labelNames: ['kind', 'limit'],
      registers: this.#registers,
    });
  }

  /** `read` is asked when the metrics are read, once a second at most. */
  watch(read: () => Promise<DeskStatus>): void {
    this.#status = new Recent(read);
  }

  /** Never throws. A desk that does not answer is said to be silent, and nothing that was true of it before is told. */
  async look(): Promise<void> {
    if (this.#status === undefined) return;
    const status = await soon(this.#status.get());
    this.#forget();
    this.#answering.set(status === undefined ? 0 : 1);
    if (status !== undefined) this.#tell(status);
  }

  #forget(): void {
    for (const gauge of [this.#epoch, this.#unsealed, this.#permits, this.#unknown, this.#unsettled]) gauge.remove();
    this.#scopes.reset();
    this.#utilization.reset();
  }

  #tell({ epoch, scopes, open_permits }: DeskStatus): void {
    this.#epoch.set(epoch);
    this.#permits.set(open_permits.count);
    this.#unknown.set(open_permits.unknown);
    this.#unsettled.set(scopes.find(({ scope }) => scope === GLOBAL)?.unsettled ?? 0);
    this.#unsealed.set(scopes.filter(isUnsealed).length);
    for (const kind of [GLOBAL, ...SCOPE_KINDS]) {
      for (const state of NOT_NORMAL) this.#scopes.set({ kind, state }, 0);
    }
    for (const { scope, state } of scopes) {
      if (state !== 'normal') this.#scopes.inc({ kind: kindOf(scope), state });
    }
    for (const [kind, limit, most] of highest(scopes)) this.#utilization.set({ kind, limit }, most);
  }

  #gauge(name: string, help: string): Gauge {
    // What was never set would be told as 0.
    const gauge = new Gauge({ name, help, registers: this.#registers });
    gauge.remove();
    return gauge;
  }
}

function isUnsealed({ state, sealed_at }: ScopeStatus): boolean {
  return !permissionsOf(state).can_trade && sealed_at === undefined;
}

function kindOf(scope: Scope): string {
  return scope.split(':', 1)[0] ?? scope;
}

function highest(scopes: readonly ScopeStatus[]): readonly (readonly [string, LimitName, number])[] {
  const found = new Map<string, readonly [string, LimitName, number]>();
  for (const { scope, limits } of scopes) {
    for (const { limit, utilization } of limits) {
      if (utilization === undefined) continue;
      const kind = kindOf(scope);
      const [, , most = 0] = found.get(`${kind} ${limit}`) ?? [];
      found.set(`${kind} ${limit}`, [kind, limit, Math.max(most, ratio(utilization))]);
    }
  }
  return [...found.values()];
}

/** A share is no amount, and Prometheus has only floating point. One too large to be read is endless rather than left out. */
function ratio(utilization: string): number {
  const scaled = decimal(utilization).times(SCALE).round(0, 1).toFixed(0);
  return isWholeNumber(scaled) ? wholeNumber(scaled) / wholeNumber(SCALE) : Infinity;
}
