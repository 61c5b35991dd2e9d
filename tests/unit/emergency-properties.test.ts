/**
 * The desk's promises under any sequence of inputs: each step is judged by what the desk said of itself before and after, and by sums
 * recomputed from what is open and held.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide, statusOf, type DeskState } from '../../src/emergency/decide';
import type { EmergencyState, PermitAnswer } from '../../src/emergency/model';
import { scopesOf } from '../../src/emergency/scopes';
import type { OpenPermit } from '../../src/emergency/state';
import { decimal, formatDecimal, type Decimal } from '../../src/money';
import { DeskAtWork, orderRequest } from '../support/desk-at-work';

const SCOPES = [
  'global',
  'venue:paper',
  'bot:b1',
  'bot:b2',
  'strategy:s1',
  'symbol:BTC/USDT',
  'symbol:ETH/USDT',
] as const;
const SEVERITY: readonly EmergencyState[] = ['normal', 'alert', 'halt', 'shutdown'];
const LIMIT = decimal('1000');

const severityOf = (desk: DeskAtWork, scope: string) => SEVERITY.indexOf(desk.stateOf(scope));
const severities = (desk: DeskAtWork) => new Map(SCOPES.map((scope) => [scope, severityOf(desk, scope)]));

interface Model {
  readonly asked: string[];
  readonly orders: Map<string, { readonly over: object; filled: number }>;
}

/** Looks at a desk before and after one step. */
function step(desk: DeskAtWork, act: () => void, isLowering = false): void {
  const before = severities(desk);
  act();
  if (!isLowering) {
    for (const [scope, severity] of severities(desk))
      expect([scope, severity >= before.get(scope)!]).toEqual([scope, true]);
  }
  assertSums(desk.state);
}

const NOTHING = { reserved: '0', held: '0', open: 0, unsettled: 0 };
const total = (values: readonly Decimal[]) =>
  formatDecimal(
    values.reduce((sum, value) => sum.plus(value), decimal('0')),
    30,
  );
const open = ({ quantity, filled }: OpenPermit) => decimal(quantity).minus(decimal(filled));

function assertSums(state: DeskState): void {
  const permits = Object.values(state.permits);
  for (const scope of SCOPES) {
    const own = permits.filter((permit) => !permit.reduces && scopesOf(permit).includes(scope));
    const positions = Object.values(state.positions);
    const isPart = scope.startsWith('bot:') || scope.startsWith('strategy:');
    const held = isPart
      ? positions.flatMap(({ parts }) => (parts[scope] === undefined ? [] : [parts[scope]]))
      : positions.filter((position) => scopesOf(position).includes(scope));
    const { reserved, held: sum, open: count, unsettled } = state.exposures[scope] ?? NOTHING;
    expect({ scope, reserved, held: sum, count, unsettled }).toEqual({
      scope,
      reserved: total(own.map((permit) => open(permit).times(decimal(permit.counted_at ?? permit.price)))),
      held: total(held.map(({ notional }) => decimal(notional))),
      count: own.length,
      unsettled: own.filter(({ status }) => status === 'granted').length,
    });
  }
  for (const [instrument, position] of Object.entries(state.positions)) {
    for (const side of ['buy', 'sell'] as const) {
      const reducing = permits.filter(
        (permit) => permit.instrument === instrument && permit.reduces && permit.side === side,
      );
      expect(position[side]).toBe(total(reducing.map(open)));
    }
  }
}

type Step = fc.Command<Model, DeskAtWork>;

class Act implements Step {
  readonly #name: string;
  readonly #run: (model: Model, desk: DeskAtWork) => void;
  constructor(name: string, run: (model: Model, desk: DeskAtWork) => void) {
    this.#name = name;
    this.#run = run;
  }
  check = () => true;
  run(model: Model, desk: DeskAtWork): void {
    this.#run(model, desk);
  }
  toString(): string {
    return this.#name;
  }
}

const parties = fc.record({
  symbol: fc.constantFrom('BTC/USDT', 'ETH/USDT'),
  side: fc.constantFrom('buy', 'sell'),
  bot: fc.constantFrom({}, { bot_id: 'b1' }, { bot_id: 'b2', strategy_id: 's1' }),
});

const raises = fc
  .tuple(
    fc.constantFrom('alert' as const, 'halt' as const, 'shutdown' as const),
    fc.constantFrom(...SCOPES),
    fc.boolean(),
  )
  .map(
    ([action, scope, isSignal]) =>
      new Act(`${action} ${scope}${isSignal ? ' by signal' : ''}`, (_, desk) => {
        step(desk, () => {
          const epoch = desk.state.epoch;
          if (isSignal) desk.signal(action, { scope });
          else expect(desk.raise(action, scope).ok).toBe(true);
          expect(desk.state.epoch).toBe(epoch + 1);
        });
        expect(severityOf(desk, scope)).toBeGreaterThanOrEqual(SEVERITY.indexOf(action));
      }),
  );

/** Wrong in every way but one's own: none of these may lower anything. */
const badResumes = fc
  .tuple(fc.constantFrom(...SCOPES), fc.constantFrom('epoch', 'age', 'causes', 'reason', 'alone', 'approve'))
  .map(
    ([scope, flaw]) =>
      new Act(`resume ${scope} with a wrong ${flaw}`, (_, desk) => {
        step(
          desk,
          () => {
            const good = desk.resumeCommand(scope);
            if (flaw === 'epoch') desk.command({ ...good, expected_epoch: (desk.state.scopes[scope]?.epoch ?? 1) - 1 });
            if (flaw === 'age') desk.command({ ...good, issued_at: desk.now - 10_001 });
            if (flaw === 'causes') desk.command({ ...good, causes: good.causes.slice(1) });
            if (flaw === 'reason') desk.command({ ...good, reason: '' });
            if (flaw === 'alone' && severityOf(desk, scope) === 3) {
              desk.command(good);
              desk.command({ ...good, action: 'approve' });
            }
            if (flaw === 'approve') desk.command({ ...good, action: 'approve', expected_epoch: desk.state.epoch + 7 });
          },
          flaw === 'causes' && desk.resumeCommand(scope).causes.length === 0,
        );
      }),
  );

const goodResumes = fc.constantFrom(...SCOPES).map(
  (scope) =>
    new Act(`resume ${scope}`, (_, desk) => {
      const others = SCOPES.filter((each) => each !== scope);
      const before = severities(desk);
      const command = desk.resumeCommand(scope);
      step(
        desk,
        () => {
          const answer = desk.command(command);
          if (answer.awaits_approval_until !== undefined) desk.command({ ...command, action: 'approve', actor: 'zoe' });
          const breached = statusOf(desk.state, desk.now)
            .scopes.find((each) => each.scope === scope)
            ?.limits.some(
              ({ limit, used, allowed }) =>
                limit !== 'order_rate' && used !== undefined && decimal(used).gt(decimal(allowed)),
            );
          if (answer.ok) expect([desk.stateOf(scope), breached ?? false]).toEqual(['normal', false]);
        },
        true,
      );
      for (const other of others) expect(severityOf(desk, other)).toBe(before.get(other));
    }),
);

const retries = fc.constantFrom('halt' as const, 'alert' as const).map(
  (action) =>
    new Act(`${action} given twice`, (_, desk) => {
      const command = { command_id: desk.nextId(), action, scope: 'global', actor: 'ann', reason: 'r' };
      step(desk, () => {
        const first = desk.command(command);
        const { state } = desk;
        expect(desk.command(command)).toEqual(first);
        expect([desk.state, desk.effects]).toEqual([state, []]);
        expect(desk.command({ ...command, reason: 'another' }).error?.code).toBe('CommandConflict');
      });
    }),
);

function assertGrant(state: DeskState, before: ReadonlyMap<string, number>, answer: PermitAnswer): void {
  if (!answer.granted) return;
  const permit = state.permits[answer.permit_id]!;
  const worst = Math.max(...scopesOf(permit).map((scope) => before.get(scope as (typeof SCOPES)[number]) ?? 0));
  expect(worst).toBeLessThan(answer.reduces ? 3 : 2);
  expect(answer.reduces).toBe(permit.reduces);
  if (permit.reduces) return;
  for (const scope of scopesOf(permit)) {
    const { reserved = '0', held = '0' } = state.exposures[scope] ?? {};
    if (state.limits[scope]?.values.max_position_notional === undefined) continue;
    expect([scope, decimal(reserved).plus(decimal(held)).lte(LIMIT)]).toEqual([scope, true]);
  }
}

const asks = fc
  .tuple(
    fc.array(
      fc.tuple(
        parties,
        fc.integer({ min: 1, max: 500 }),
        fc.constantFrom({}, { purpose: 'on_halt' }, { market: { price: '250', age_ms: 0 } }),
      ),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(
    ([requests]) =>
      new Act(`ask for ${JSON.stringify(requests)}`, (model, desk) => {
        const before = severities(desk);
        const used = [...model.asked];
        step(desk, () => {
          const asked = requests.map(([{ bot, ...order }, cents, more]) =>
            orderRequest(desk.nextId(), { ...bot, ...order, ...more, quantity: String(cents / 100) }),
          );
          const answers = desk.permits([...asked, ...used.map((id) => orderRequest(id))]);
          answers.slice(0, asked.length).forEach((answer, at) => {
            assertGrant(desk.state, before, answer);
            if (!answer.granted) return;
            model.asked.push(answer.permit_id);
            model.orders.set(answer.permit_id, { over: { ...asked[at], permit_id: answer.permit_id }, filled: 0 });
          });
          for (const answer of answers.slice(asked.length))
            expect(answer).toMatchObject({ granted: false, code: 'AlreadyUsed' });
        });
      }),
  );

const settles = fc
  .tuple(
    fc.nat(),
    fc.constantFrom('acknowledged', 'fenced', 'unused', 'rejected', 'closed'),
    fc.constantFrom({}, { filled_quantity: '2' }),
  )
  .map(
    ([which, outcome, over]) =>
      new Act(`settle ${which} ${outcome}`, (model, desk) => {
        if (model.asked.length > 0)
          step(desk, () => {
            desk.settle(model.asked[which % model.asked.length]!, outcome, over);
          });
      }),
  );

const unknowns = fc.tuple(fc.nat(), fc.boolean()).map(
  ([which, known]) =>
    new Act(`unknown ${which} ${known}`, (model, desk) => {
      if (model.asked.length > 0)
        step(desk, () => {
          desk.unknown(model.asked[which % model.asked.length]!, known);
        });
    }),
);

const sizes = [fc.nat(), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 50, max: 150 })] as const;
const fills = fc.tuple(...sizes, fc.boolean()).map(
  ([which, cents, price, ended]) =>
    new Act(`fill ${which} by ${cents}${ended ? ', its last' : ''}`, (model, desk) => {
      const order = model.orders.get(model.asked[which % Math.max(1, model.asked.length)] ?? '');
      if (order === undefined) return;
      order.filled += cents;
      const filled = {
        filled_quantity: String(order.filled / 100),
        filled_notional: String((order.filled * price) / 100),
        ended,
      };
      step(desk, () => {
        desk.fill({ ...order.over, order_id: `o-${which % model.asked.length}`, ...filled });
      });
    }),
);

const prices = fc.tuple(fc.constantFrom('BTC/USDT', 'ETH/USDT'), fc.integer({ min: 1, max: 400 })).map(
  ([symbol, price]) =>
    new Act(`price ${symbol} ${price}`, (_, desk) => {
      step(desk, () => {
        desk.price(String(price), { symbol });
      });
    }),
);
const marks = fc.tuple(fc.constantFrom('global', 'bot:b1'), fc.integer({ min: 1, max: 2_000 })).map(
  ([scope, equity]) =>
    new Act(`mark ${scope} ${equity}`, (_, desk) => {
      step(desk, () => {
        desk.mark(String(equity), { scope });
      });
    }),
);
const waits = fc.constantFrom(1, 999, 60_000, 3_600_000, 86_400_000).map(
  (by) =>
    new Act(`wait ${by}`, (_, desk) => {
      desk.now += by;
      step(desk, () => {
        desk.tick();
      });
    }),
);
const garbage = fc.anything().map(
  (value) =>
    new Act('garbage', (_, desk) => {
      step(desk, () => {
        for (const kind of ['fill', 'mark', 'price'] as const) {
          expect(decide(desk.state, { kind, [kind]: value } as never, desk.now).reply).toMatchObject({
            kind: 'refused',
          });
        }
        expect(decide(desk.state, { kind: 'command', command: value }, desk.now).reply).toMatchObject({
          answer: { ok: false },
        });
        const { reply, state } = decide(
          desk.state,
          { kind: 'permits', requests: [value], settlements: [value] },
          desk.now,
        );
        expect(reply).toMatchObject({ answers: [{ granted: false, code: 'InvalidInput' }] });
        expect({ ...state, clock: 0 }).toEqual({ ...desk.state, clock: 0 });
      });
    }),
);

function newDesk(): DeskAtWork {
  const desk = new DeskAtWork();
  desk.bot('b1', {}, { max_position_notional: '1000', daily_loss: '300' });
  desk.bot('b2', { time_zone: 'Asia/Tokyo' }, { consecutive_losses: '2', order_rate: '20' });
  desk.limits({ max_position_notional: '1000' });
  return desk;
}

describe('whatever is asked of a desk', () => {
  it('nothing but a valid resume lowers it, no grant passes a halt or a limit, totals are sums, and a replay gives the same state', () => {
    const steps = fc.commands(
      [
        raises,
        badResumes,
        goodResumes,
        goodResumes,
        retries,
        asks,
        asks,
        asks,
        settles,
        unknowns,
        fills,
        fills,
        prices,
        marks,
        waits,
        garbage,
      ],
      { maxCommands: 40 },
    );
    fc.assert(
      fc.property(steps, (commands) => {
        const desk = newDesk();
        const first = new DeskAtWork().state;
        fc.modelRun(() => ({ model: { asked: [], orders: new Map() }, real: desk }), commands);
        expect(desk.replayed(first)).toEqual(desk.state);
      }),
      { numRuns: 150 },
    );
  });

  it('reports of fills may arrive in any order', () => {
    const reports = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(reports, fc.func(fc.integer()), (cents, order) => {
        const growing = [...cents].sort((a, b) => a - b);
        const shuffled = [...growing].sort((a, b) => order(a) - order(b));
        const ends = [growing, shuffled].map((sequence) => {
          const desk = new DeskAtWork();
          for (const filled of sequence) {
            const amounts = {
              filled_quantity: String(filled / 100),
              filled_notional: String(filled * 2),
              fees: String(filled / 1_000),
            };
            desk.fill({ order_id: 'o', ...amounts });
          }
          return {
            positions: desk.state.positions,
            exposures: desk.state.exposures,
            day: desk.state.books['global']!.days,
          };
        });
        expect(ends[1]).toEqual(ends[0]);
      }),
    );
  });
});
