/** Invariants B1 to B8 of src/resilience/breaker.ts. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  admit,
  breakerDefaults,
  newBreaker,
  settle,
  type Breaker,
  type BreakerSettings,
  type Call,
  type Verdict,
} from '../../src/resilience/breaker';

/** A breaker with its clock in the test's hand. */
class Driven {
  readonly settings: BreakerSettings;
  breaker: Breaker = newBreaker();
  now = 0;

  constructor(settings: Partial<BreakerSettings> = {}) {
    this.settings = { ...breakerDefaults, ...settings };
  }

  /** The call, or when to ask again. */
  ask(jitter = 0): Call | number {
    const admission = admit(this.breaker, this.settings, { now: this.now, jitter });
    this.breaker = admission.breaker;
    return 'call' in admission ? admission.call : admission.retry_at;
  }

  call(): Call {
    const answer = this.ask();
    if (typeof answer === 'number') throw new Error(`refused until ${answer}`);
    return answer;
  }

  report(call: Call, verdict: Verdict): void {
    this.breaker = settle(this.breaker, this.settings, { call, verdict }, this.now);
  }

  /** A call that ends at once. */
  made(verdict: Verdict): void {
    this.report(this.call(), verdict);
  }

  open(): void {
    for (let failures = 0; failures < this.settings.failures; failures += 1) this.made('failure');
  }
}

describe('a circuit breaker', () => {
  it('opens at the fifth failure within 120 s, and not at the fourth (B1)', () => {
    const of = new Driven();
    for (const at of [0, 10_000, 20_000, 119_998]) {
      of.now = at;
      of.made('failure');
      expect(of.breaker.state).toBe('closed');
    }
    of.now = 119_999;
    of.made('failure');
    expect(of.breaker.state).toBe('open');
  });

  it('forgets failures older than the window (B1)', () => {
    const of = new Driven();
    for (const at of [0, 10_000, 20_000, 30_000, 120_000]) {
      of.now = at;
      of.made('failure');
    }
    expect(of.breaker.state).toBe('closed');
    of.now = 129_999;
    of.made('failure');
    expect(of.breaker.state).toBe('open');
  });

  it('counts failures between which others succeeded (B1)', () => {
    const of = new Driven();
    for (let each = 0; each < 5; each += 1) {
      of.made('success');
      of.made('failure');
    }
    expect(of.breaker.state).toBe('open');
  });

  it('refuses while open, until 60 s have passed, with the moment to ask again spread over a second (B4)', () => {
    const of = new Driven();
    of.now = 1_000;
    of.open();
    expect(of.ask(0)).toBe(61_000);
    expect(of.ask(0.5)).toBe(61_500);
    of.now = 60_999;
    expect(of.ask()).toBe(61_000);
    of.now = 61_000;
    expect(of.call()).toMatchObject({ at: 61_000 });
    expect(of.breaker.state).toBe('half_open');
  });

  it('admits two probes, then refuses for a second, give or take a quarter (B5, B8)', () => {
    const of = new Driven();
    of.open();
    of.now = 60_000;
    of.call();
    of.call();
    expect(of.ask(0)).toBe(60_750);
    expect(of.ask(0.999)).toBe(61_250);
  });

  it('is closed by two successes, and opened again by one failed probe (B5)', () => {
    const of = new Driven();
    of.open();
    of.now = 60_000;
    of.made('success');
    expect(of.breaker.state).toBe('half_open');
    const [one, other] = [of.call(), of.call()];
    of.report(one, 'failure');
    expect(of.breaker.state).toBe('open');
    expect(of.ask()).toBe(120_000);
    of.report(other, 'success');
    expect(of.ask()).toBe(120_000);
    of.now = 120_000;
    of.made('success');
    of.made('success');
    expect(of.breaker.state).toBe('closed');
  });

  it('gives the place of a probe that says nothing about the resource to the next (B5)', () => {
    const of = new Driven({ probes: 1 });
    of.open();
    of.now = 60_000;
    of.made('neutral');
    of.made('neutral');
    expect(of.breaker.state).toBe('half_open');
    expect(of.call()).toBeDefined();
  });

  it('gives the place of a probe that never reports to another once it would be open again (B7)', () => {
    const of = new Driven();
    of.open();
    of.now = 60_000;
    of.call();
    of.call();
    of.now = 119_999;
    expect(typeof of.ask()).toBe('number');
    of.now = 120_000;
    of.made('success');
    of.made('success');
    expect(of.breaker.state).toBe('closed');
  });

  it('after a first failure admits no more than could open it, until one succeeds (B2, B3)', () => {
    const of = new Driven();
    of.made('failure');
    const calls = [of.call(), of.call(), of.call(), of.call()];
    expect(of.ask(0)).toBe(750);
    of.report(calls[0]!, 'success');
    for (let each = 0; each < 1_000; each += 1) of.call();
  });

  it('asks callers of a silent resource back ever less often, but not later than it would be open (B8)', () => {
    const of = new Driven();
    of.made('failure');
    for (let each = 0; each < 4; each += 1) of.call();
    let asked = 0;
    for (let at = of.ask(0.5); typeof at === 'number' && at < 60_000; at = of.ask(0.5)) {
      of.now = at;
      asked += 1;
    }
    expect(asked).toBeLessThan(15);
  });

  it('lets nobody wait longer than it would be open, give or take a quarter (B8)', () => {
    const of = new Driven({ open_for_ms: 200 });
    of.made('failure');
    for (let each = 0; each < 4; each += 1) of.call();
    expect([of.ask(0), of.ask(0.5)]).toEqual([150, 200]);
    of.now = 60_000;
    expect(of.ask(0.5)).toBe(60_200);
  });

  it('ignores what calls of an earlier epoch report, late as they are (B6)', () => {
    const of = new Driven();
    const late = [of.call(), of.call(), of.call()];
    for (const call of Array.from({ length: 5 }, () => of.call())) of.report(call, 'failure');
    of.report(late[0]!, 'success');
    expect(of.breaker.state).toBe('open');
    of.now = 60_000;
    of.made('success');
    of.report(late[1]!, 'failure');
    expect(of.breaker.state).toBe('half_open');
    of.made('success');
    of.report(late[2]!, 'failure');
    expect(of.breaker).toMatchObject({ state: 'closed', failed: [] });
  });

  it('shows a dead resource to five of fifty callers, and to two for every minute it is open (B2, B5)', () => {
    const of = new Driven();
    const made: number[] = [];
    const waking = new Map<number, number>(Array.from({ length: 50 }, (_, caller) => [caller, caller]));
    const out: { readonly call: Call; readonly caller: number; readonly ends: number }[] = [];
    for (of.now = 0; of.now < 5 * 60_000; of.now += 1) {
      for (const { call, caller } of out.filter(({ ends }) => ends === of.now)) {
        of.report(call, 'failure');
        waking.set(caller, of.now + 1_000);
      }
      for (const [caller, at] of [...waking].filter(([, at]) => at <= of.now)) {
        const answer = of.ask((caller % 10) / 10);
        waking.delete(caller);
        if (typeof answer === 'number') waking.set(caller, Math.max(answer, at + 1));
        else {
          made.push(of.now);
          out.push({ call: answer, caller, ends: of.now + 1 });
        }
      }
    }
    const within = (from: number, to: number) => made.filter((at) => at >= from && at < to).length;
    expect(within(0, 30_000)).toBe(5);
    expect(made.length).toBeLessThanOrEqual(5 + 2 * 5);
    expect(within(30_000, 5 * 60_000)).toBeGreaterThan(0);
  });
});

type Step =
  | { readonly do: 'ask'; readonly jitter: number }
  | { readonly do: 'report'; readonly which: number; readonly verdict: Verdict }
  | { readonly do: 'wait'; readonly ms: number };

const settingsOf = fc.record({
  failures: fc.integer({ min: 1, max: 6 }),
  window_ms: fc.integer({ min: 1, max: 200 }),
  open_for_ms: fc.integer({ min: 1, max: 200 }),
  probes: fc.integer({ min: 1, max: 4 }),
  successes: fc.integer({ min: 1, max: 4 }),
});
const jitterOf = fc.double({ min: 0, max: 0.999, noNaN: true });
const verdictOf = fc.constantFrom<Verdict>('success', 'failure', 'failure', 'neutral');
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), jitter: jitterOf }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('report' as const), which: fc.nat(), verdict: verdictOf }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(120) }) },
  ),
  { maxLength: 120 },
);

/** What an onlooker who only sees calls and reports may expect; kept apart from the breaker's own bookkeeping. */
class Onlooker {
  readonly out = new Map<Call, number>();
  reports: { readonly at: number; readonly verdict: Verdict; readonly call: Call }[] = [];
  changedAt = 0;
  readonly of: Driven;

  constructor(of: Driven) {
    this.of = of;
  }

  ofEpoch(calls: Iterable<Call>): Call[] {
    return [...calls].filter(({ epoch }) => epoch === this.of.breaker.epoch);
  }

  outSince(span: number): number {
    return this.ofEpoch(this.out.keys()).filter(({ at }) => at > this.of.now - span).length;
  }

  /** Failures of this epoch within the window; with `doubts`, those after its last success. */
  failures(doubts: boolean): number {
    const counted = this.reports.filter(({ call }) => call.epoch === this.of.breaker.epoch);
    const since = doubts ? counted.findLastIndex(({ verdict }) => verdict === 'success') + 1 : 0;
    const recent = ({ at }: { at: number }) => at > this.of.now - this.of.settings.window_ms;
    return counted.slice(since).filter((each) => each.verdict === 'failure' && recent(each)).length;
  }
}

describe('whatever is asked, reported and awaited, a circuit breaker', () => {
  const everywhere = (check: (looking: Onlooker, step: Step, answer: Call | number | undefined) => void) => {
    fc.assert(
      fc.property(settingsOf, steps, (settings, all) => {
        const looking = new Onlooker(new Driven(settings));
        for (const step of all) check(looking, step, take(looking, step));
      }),
      { numRuns: 2_000 },
    );
  };
  const take = (looking: Onlooker, step: Step): Call | number | undefined => {
    const { of, out } = looking;
    const { epoch } = of.breaker;
    let answer: Call | number | undefined;
    if (step.do === 'wait') of.now += step.ms;
    else if (step.do === 'ask') {
      answer = of.ask(step.jitter);
      if (typeof answer !== 'number') out.set(answer, of.now);
    } else {
      const call = [...out.keys()][step.which % Math.max(1, out.size)];
      if (call === undefined) return undefined;
      out.delete(call);
      of.report(call, step.verdict);
      looking.reports.push({ at: of.now, verdict: step.verdict, call });
    }
    if (of.breaker.epoch !== epoch) looking.changedAt = of.now;
    return answer;
  };

  it('never holds as many failures within the window as open it and is closed (B1)', () => {
    everywhere((looking) => {
      if (looking.of.breaker.state !== 'closed') return;
      expect(looking.failures(false)).toBeLessThan(looking.of.settings.failures);
    });
  });

  it('admits, closed and in doubt, as long as calls and doubts stay below the threshold; out of doubt always (B2, B3)', () => {
    everywhere((looking, step, answer) => {
      const { breaker, settings } = looking.of;
      if (breaker.state !== 'closed' || step.do !== 'ask') return;
      const doubts = looking.failures(true);
      const out = looking.outSince(settings.window_ms);
      if (doubts === 0) expect(typeof answer).toBe('object');
      else if (typeof answer === 'object') expect(doubts + out).toBeLessThanOrEqual(settings.failures);
      else expect(doubts + out).toBeGreaterThanOrEqual(settings.failures);
    });
  });

  it('admits nobody while open, and is open for as long as it is set to (B4)', () => {
    everywhere((looking, step, answer) => {
      const { breaker, settings, now } = looking.of;
      if (breaker.state !== 'open' || step.do !== 'ask') return;
      expect(answer).toBeGreaterThanOrEqual(looking.changedAt + settings.open_for_ms);
      expect(now).toBeLessThan(looking.changedAt + settings.open_for_ms);
    });
  });

  it('never has more than its probes out while half-open, and refuses nobody while it has fewer (B5)', () => {
    everywhere((looking, step, answer) => {
      const { breaker, settings } = looking.of;
      if (breaker.state !== 'half_open' || step.do !== 'ask') return;
      const out = looking.outSince(settings.open_for_ms);
      expect(out).toBeLessThanOrEqual(settings.probes);
      if (typeof answer === 'number') expect(out).toBe(settings.probes);
    });
  });

  it('is not changed by a report about an earlier epoch (B6)', () => {
    fc.assert(
      fc.property(settingsOf, steps, fc.nat(), verdictOf, (settings, all, which, verdict) => {
        const looking = new Onlooker(new Driven(settings));
        for (const step of all) take(looking, step);
        const stale = [...looking.out.keys()].filter(({ epoch }) => epoch !== looking.of.breaker.epoch);
        const before = looking.of.breaker;
        const call = stale[which % Math.max(1, stale.length)];
        if (call !== undefined) looking.of.report(call, verdict);
        expect(looking.of.breaker).toBe(before);
      }),
      { numRuns: 2_000 },
    );
  });

  it('admits again after a silence, also when nothing out is ever reported (B7)', () => {
    fc.assert(
      fc.property(settingsOf, steps, (settings, all) => {
        const looking = new Onlooker(new Driven(settings));
        for (const step of all) take(looking, step);
        looking.of.now += Math.max(settings.window_ms, settings.open_for_ms);
        expect(typeof looking.of.ask()).toBe('object');
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses with a later moment (B8)', () => {
    everywhere((looking, _, answer) => {
      if (typeof answer === 'number') expect(answer).toBeGreaterThan(looking.of.now);
    });
  });
});
