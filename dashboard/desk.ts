/** What the page says of the emergency desk, and what it sends back of what it saw. */
import type { Desk, DeskAnswer, DeskScope } from './wire.js';

const STOPPED = ['halt', 'shutdown'];
const VERBS: Readonly<Record<string, string>> = { alert: 'Alert', halt: 'All halted', shutdown: 'All shut down' };

function globalOf({ scopes }: Desk): DeskScope | undefined {
  return scopes.find(({ scope }) => scope === 'global');
}

export function isStopped({ state }: Desk): boolean {
  return STOPPED.includes(state);
}

/** Why `global` is not normal, and how many other scopes are not; nothing when all is well. */
export function deskWords(desk: Desk): string {
  const cause = globalOf(desk)?.causes.findLast(({ state }) => state === desk.state);
  const others = desk.scopes.filter(({ scope, causes }) => scope !== 'global' && causes.length > 0).length;
  const head = cause === undefined ? [] : [`${VERBS[desk.state] ?? desk.state} by ${cause.actor}: ${cause.reason}`];
  const more = others === 0 ? [] : [`${others} ${others === 1 ? 'scope is' : 'scopes are'} not normal`];
  return [...head, ...more].join('; ');
}

/** What a resume must name. */
export function resumeOf(desk: Desk | undefined) {
  const { causes = [], epoch = 0 } = (desk === undefined ? undefined : globalOf(desk)) ?? {};
  return { causes: causes.map(({ id }) => id), expected_epoch: epoch };
}

export function answerWords({ state, sealed, awaits_approval_until: until }: DeskAnswer): string {
  if (state === undefined) return 'Accepted. The desk has not answered yet; it is halted as soon as it does.';
  if (until !== undefined) return `It waits for a second person until ${new Date(until).toLocaleTimeString()}.`;
  return `Accepted. The desk says: ${state}${sealed === true ? ', sealed' : ''}.`;
}
