/** Validation of the keys that say how a node is tried and when it fails: do they mean anything for its kind? */
import { type Members } from '../json';
import { durationMs } from './duration';
import type { Effect, KindTraits } from './kinds';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { objectOf } from './node-reading';
import type { NodeReading } from './node-reading';

/**
 * A control kind makes no attempts, and has a deadline of its own where it waits for somebody; a pure one calls nobody. An order whose
 * end is not known is looked up and never sent again on a guess.
 */
const MEANINGLESS: Readonly<Partial<Record<Effect, readonly string[]>>> = {
  control: ['timeout', 'total_timeout', 'retry', 'circuit_breaker', 'rate_limit', 'task_queue'],
  pure: ['circuit_breaker', 'rate_limit', 'max_age'],
  trade: ['retry'],
};

const WHY: Readonly<Partial<Record<Effect, string>>> = {
  control: 'happens inside the execution and makes no attempts',
  pure: 'calls nobody',
  trade: 'sends an order once',
};

export function checkPolicy({ kind, raw, pointer, type }: NodeReading, found: Mistake[]): void {
  checkTimes(raw, pointer, found);
  if (kind === undefined) return;
  checkFollowing(kind, raw, pointer, found);
  for (const key of MEANINGLESS[kind.effect] ?? []) {
    if (raw[key] === undefined) continue;
    found.push(mistake('bad_policy', `${pointer}/${key}`, meaninglessOf(key, kind)));
  }
  if (raw['while'] !== undefined && type !== 'repeat') {
    const message = `\`while\` belongs to the kind repeat, not to ${kind.type}; for a condition there is \`when\`.`;
    found.push(mistake('bad_policy', `${pointer}/while`, message, 'when'));
  }
}

/** A pure node is as old as what it was given; with an age of its own it would be computed again from that, and be no younger. */
function meaninglessOf(key: string, { type, effect }: KindTraits & { readonly type: string }): string {
  const start = `\`${key}\` means nothing here: the kind ${type}`;
  if (key !== 'max_age') return `${start} ${WHY[effect]}.`;
  return `${start} only computes, and what it gives is as old as what it was given; write it at the nodes that read that.`;
}

/** An order that rests at a venue does not end because a node gives up on it. */
function checkFollowing(
  { type, follows }: KindTraits & { readonly type: string },
  raw: Members,
  pointer: string,
  found: Mistake[],
): void {
  if (follows !== true || raw['total_timeout'] === undefined) return;
  const message = `\`total_timeout\` means nothing here: the kind ${type} follows its order to its end; for how long it may rest there is \`good_for\`.`;
  found.push(mistake('bad_policy', `${pointer}/total_timeout`, message, 'good_for'));
}

/** Of a node, or of `defaults`. */
export function checkTimes(policy: Members, pointer: string, found: Mistake[]): void {
  const [timeout, total] = [durationMs(policy['timeout']), durationMs(policy['total_timeout'])];
  if (timeout !== undefined && total !== undefined && total < timeout) {
    const message = '`total_timeout` bounds all attempts together, so it cannot be shorter than `timeout`.';
    found.push(mistake('bad_policy', `${pointer}/total_timeout`, message));
  }
  const retry = objectOf(policy['retry']);
  const [initial, max] = [durationMs(retry['initial']), durationMs(retry['max'])];
  if (initial !== undefined && max !== undefined && max < initial) {
    const message = '`max` is the longest delay, so it cannot be shorter than `initial`.';
    found.push(mistake('bad_policy', `${pointer}/retry/max`, message));
  }
}
