/** A desk that is driven input by input: each state is frozen before the next, and must survive JSON as it is. */
import { expect } from '@jest/globals';
import { decide, initialDesk, statusOf, type DeskOptions, type DeskState } from '../../src/emergency/decide';
import type {
  CommandAnswer,
  DeskInput,
  Effect,
  EmergencyState,
  Limits,
  PermitAnswer,
  PermitRequest,
  Reply,
} from '../../src/emergency/model';

export const NOON = Date.parse('2026-01-05T12:00:00.000Z');

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

export function orderRequest(permit_id: string, over: Readonly<Record<string, unknown>> = {}): PermitRequest {
  return {
    permit_id,
    account: 'main',
    venue: 'paper',
    symbol: 'BTC/USDT',
    side: 'buy',
    quantity: '1',
    price: '100',
    currency: 'USDT',
    execution_id: 'run-1',
    ...over,
  };
}

export class DeskAtWork {
  state: DeskState;
  now: number;
  reply: Reply = { kind: 'accepted' };
  effects: readonly Effect[] = [];
  readonly #inputs: { readonly input: DeskInput; readonly now: number }[] = [];
  readonly #checks: boolean;
  #ids = 0;

  /** `checks` off: for inputs by the hundred, where freezing and writing every state would take the time. */
  constructor({
    now = NOON,
    checks = true,
    ...options
  }: Partial<DeskOptions> & { readonly now?: number; readonly checks?: boolean } = {}) {
    this.now = now;
    this.#checks = checks;
    this.state = deepFreeze(initialDesk({ desk_id: 'default', initialised: true, ...options }, now));
  }

  take(input: DeskInput): Reply {
    this.#inputs.push({ input, now: this.now });
    const { state, reply, effects } = decide(this.state, input, this.now);
    if (this.#checks) {
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
      deepFreeze(state);
    }
    this.state = state;
    this.reply = reply;
    this.effects = effects;
    return reply;
  }

  /** What the same inputs make of a state, passed through JSON at every step. */
  replayed(from: DeskState): DeskState {
    return this.#inputs.reduce(
      (state, { input, now }) => decide(JSON.parse(JSON.stringify(state)) as DeskState, input, now).state,
      from,
    );
  }

  command(command: Readonly<Record<string, unknown>>): CommandAnswer {
    const given = { command_id: this.nextId(), actor: 'ann', reason: 'because', ...command };
    const reply = this.take({ kind: 'command', command: given });
    if (reply.kind !== 'command') throw new Error(`a ${reply.kind} for a command`);
    return reply.answer;
  }

  raise(action: 'alert' | 'halt' | 'shutdown', scope = 'global', over: Readonly<Record<string, unknown>> = {}) {
    return this.command({ action, scope, ...over });
  }

  /** Naming all it sees. */
  resume(scope = 'global', over: Readonly<Record<string, unknown>> = {}): CommandAnswer {
    return this.command({ ...this.resumeCommand(scope), ...over });
  }

  resumeCommand(scope = 'global') {
    const causes = (this.state.scopes[scope]?.causes ?? []).map(({ id }) => id);
    return { action: 'resume', scope, causes, expected_epoch: this.state.epoch, issued_at: this.now };
  }

  limits(limits: Limits, scope = 'global', over: Readonly<Record<string, unknown>> = {}): CommandAnswer {
    return this.command({ action: 'set_limits', scope, limits, ...over });
  }

  bot(bot_id: string, over: Readonly<Record<string, unknown>> = {}, limits: Limits = {}): CommandAnswer {
    const bot = { bot_id, name: bot_id, venues: ['paper'], starting_equity: '1000', time_zone: 'UTC', ...over };
    return this.command({ action: 'register_bot', bot, limits });
  }

  permits(requests: readonly unknown[], settlements: readonly unknown[] = []): readonly PermitAnswer[] {
    const reply = this.take({ kind: 'permits', requests, settlements });
    if (reply.kind !== 'permits') throw new Error(`a ${reply.kind} for permits`);
    return reply.answers;
  }

  /** `granted`, or the code of the denial. */
  ask(over: Readonly<Record<string, unknown>> = {}): string {
    const [answer] = this.permits([orderRequest(this.nextId(), over)]);
    return outcomeOf(answer!);
  }

  settle(permit_id: string, outcome: string, over: Readonly<Record<string, unknown>> = {}): void {
    this.permits([], [{ permit_id, outcome, ...over }]);
  }

  fill(over: Readonly<Record<string, unknown>> = {}): Reply {
    return this.take({
      kind: 'fill',
      fill: {
        order_id: this.nextId(),
        account: 'main',
        venue: 'paper',
        symbol: 'BTC/USDT',
        side: 'buy',
        filled_quantity: '1',
        filled_notional: '100',
        fees: '0',
        currency: 'USDT',
        at: this.now,
        ...over,
      },
    });
  }

  /** Buys ten and sells them for so much less. */
  lose(amount: number, over: Readonly<Record<string, unknown>> = {}): void {
    this.fill({ filled_quantity: '10', filled_notional: '2000', ...over });
    this.fill({ side: 'sell', filled_quantity: '10', filled_notional: String(2000 - amount), ...over });
  }

  mark(equity: string, over: Readonly<Record<string, unknown>> = {}): Reply {
    return this.take({ kind: 'mark', mark: { scope: 'global', at: this.now, equity, currency: 'USDT', ...over } });
  }

  price(price: string, over: Readonly<Record<string, unknown>> = {}): Reply {
    return this.take({ kind: 'price', price: { venue: 'paper', symbol: 'BTC/USDT', price, at: this.now, ...over } });
  }

  signal(name: 'alert' | 'halt' | 'shutdown', payload?: unknown): void {
    this.take({ kind: 'signal', name, payload });
  }

  tick(): void {
    this.take({ kind: 'tick' });
  }

  unknown(permit_id: string, known = false): void {
    this.settle(permit_id, known ? 'acknowledged' : 'unknown');
  }

  stateOf(scope = 'global'): EmergencyState {
    return statusOf(this.state, this.now).scopes.find((each) => each.scope === scope)?.state ?? 'normal';
  }

  used(limit: string, scope = 'global'): string | undefined {
    const status = statusOf(this.state, this.now).scopes.find((each) => each.scope === scope);
    return status?.limits.find((each) => each.limit === limit)?.used;
  }

  nextId(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }
}

export function outcomeOf(answer: PermitAnswer): string {
  return answer.granted ? 'granted' : answer.code;
}
