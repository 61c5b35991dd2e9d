/**
 * A circuit breaker: whether a call to a resource may be made now. Plain functions over plain data; time is an argument, in
 * milliseconds of any clock that never goes back.
 *
 * B1. It opens when `failures` failures were reported within `window_ms`, whatever succeeded between them.
 * B2. While closed and in doubt (failures within the window, no success since), failures since the last success and calls in
 *     flight together never exceed `failures`: of many callers of a dead resource no more than that many find out.
 * B3. While closed and not in doubt it refuses nobody: a healthy resource is never throttled.
 * B4. While open it admits nobody until `open_for_ms` have passed; the next caller then makes it half-open.
 * B5. While half-open at most `probes` calls are out at once. `successes` of them close it; one failure opens it again.
 * B6. A report about a call of an earlier epoch changes nothing. Every change of state begins a new epoch.
 * B7. It never wedges: after `window_ms` and `open_for_ms` without a report, whoever asks is admitted, also when calls were
 *     admitted and never reported. A closed breaker counts a call for `window_ms` at most, a half-open one for `open_for_ms`.
 * B8. A refusal names a later moment to ask again.
 */

export interface BreakerSettings {
  /** Failures within `window_ms` that open it. */
  readonly failures: number;
  readonly window_ms: number;
  /** From opening to half-open. */
  readonly open_for_ms: number;
  /** Calls out at once while half-open. */
  readonly probes: number;
  /** Successes that close a half-open one. */
  readonly successes: number;
}

export const breakerDefaults: BreakerSettings = {
  failures: 5,
  window_ms: 120_000,
  open_for_ms: 60_000,
  probes: 2,
  successes: 2,
};

/** An admitted call, to be handed back with its verdict. */
export interface Call {
  readonly epoch: number;
  readonly number: number;
  readonly at: number;
}

interface Common {
  readonly epoch: number;
  /** Admitted in this epoch and not yet reported, oldest first. */
  readonly calls: readonly Call[];
  /** Ever admitted. */
  readonly admitted: number;
}
interface Closed extends Common {
  readonly state: 'closed';
  /** Times of the failures within the window, oldest first. */
  readonly failed: readonly number[];
  /** Those of them that no success followed. */
  readonly doubts: readonly number[];
}
interface Open extends Common {
  readonly state: 'open';
  readonly until: number;
}
interface HalfOpen extends Common {
  readonly state: 'half_open';
  readonly succeeded: number;
}
export type Breaker = Closed | Open | HalfOpen;
export type BreakerState = Breaker['state'];

/** `neutral`: it says nothing about the resource, or was not made after all. */
export type Verdict = 'success' | 'failure' | 'neutral';

export type Admission = { readonly breaker: Breaker } & ({ readonly call: Call } | { readonly retry_at: number });

export interface Moment {
  readonly now: number;
  /** In [0, 1): spreads those who are refused together. */
  readonly jitter: number;
}

/** The shortest time a refused caller waits, give or take a quarter; also over which those who wait for the end of `open` spread. */
const SHORT_MS = 1_000;

export function newBreaker(): Breaker {
  return closed({ epoch: 0, admitted: 0 });
}

export function admit(breaker: Breaker, settings: BreakerSettings, moment: Moment): Admission {
  const current = asOf(breaker, settings, moment.now);
  switch (current.state) {
    case 'open':
      return refused(current, current.until + moment.jitter * shortest(settings));
    case 'closed': {
      const { doubts, calls } = current;
      const last = doubts.at(-1);
      if (last === undefined || doubts.length + calls.length < settings.failures) return admitted(current, moment.now);
      return refused(current, moment.now + patience(settings, moment, last));
    }
    case 'half_open': {
      const last = current.calls.at(-1);
      if (last === undefined || current.calls.length < settings.probes) return admitted(current, moment.now);
      return refused(current, moment.now + patience(settings, moment, last.at));
    }
  }
}

/** Takes the verdict about one admitted call. */
export function settle(
  breaker: Breaker,
  settings: BreakerSettings,
  { call, verdict }: { readonly call: Call; readonly verdict: Verdict },
  now: number,
): Breaker {
  if (call.epoch !== breaker.epoch) return breaker;
  const current = asOf(breaker, settings, now);
  const calls = current.calls.filter(({ number }) => number !== call.number);
  const rest = { ...current, calls };
  if (verdict === 'neutral' || rest.state === 'open') return rest;
  if (rest.state === 'closed') return verdict === 'success' ? { ...rest, doubts: [] } : failed(rest, settings, now);
  if (verdict === 'failure') return open(rest, settings, now);
  const succeeded = rest.succeeded + 1;
  return succeeded < settings.successes ? { ...rest, succeeded } : closed(next(rest));
}

/** The breaker as time alone has made it. */
function asOf(breaker: Breaker, { window_ms, open_for_ms }: BreakerSettings, now: number): Breaker {
  switch (breaker.state) {
    case 'open':
      return now < breaker.until ? breaker : { ...next(breaker), state: 'half_open', calls: [], succeeded: 0 };
    case 'half_open':
      return { ...breaker, calls: breaker.calls.filter((call) => call.at > now - open_for_ms) };
    case 'closed': {
      const recent = (time: number) => time > now - window_ms;
      return {
        ...breaker,
        calls: breaker.calls.filter((call) => recent(call.at)),
        failed: breaker.failed.filter(recent),
        doubts: breaker.doubts.filter(recent),
      };
    }
  }
}

function failed(breaker: Closed, settings: BreakerSettings, now: number): Breaker {
  const failures = [...breaker.failed, now];
  if (failures.length >= settings.failures) return open(breaker, settings, now);
  return { ...breaker, failed: failures, doubts: [...breaker.doubts, now] };
}

function open(breaker: Breaker, { open_for_ms }: BreakerSettings, now: number): Open {
  return { ...next(breaker), state: 'open', calls: [], until: now + open_for_ms };
}

function closed(counts: { readonly epoch: number; readonly admitted: number }): Closed {
  return { ...counts, state: 'closed', calls: [], failed: [], doubts: [] };
}

function next({ epoch, admitted }: Breaker): { readonly epoch: number; readonly admitted: number } {
  return { epoch: epoch + 1, admitted };
}

function admitted(breaker: Closed | HalfOpen, now: number): Admission {
  const number = breaker.admitted + 1;
  const call = { epoch: breaker.epoch, number, at: now };
  return { breaker: { ...breaker, admitted: number, calls: [...breaker.calls, call] }, call };
}

function refused(breaker: Breaker, retryAt: number): Admission {
  return { breaker, retry_at: Math.ceil(retryAt) };
}

/**
 * Until a refused caller asks again: half as long as nothing was heard, so that one slow call costs those who wait for it a
 * few questions, not one a second.
 */
function patience(settings: BreakerSettings, { now, jitter }: Moment, heard: number): number {
  const ms = Math.min(Math.max(SHORT_MS, (now - heard) / 2), settings.open_for_ms);
  return ms * (0.75 + jitter / 2);
}

function shortest({ open_for_ms }: BreakerSettings): number {
  return Math.min(SHORT_MS, open_for_ms);
}
