/** The set of reasons a scope is not normal. */
import type { Cause, EmergencyState } from './model';
import { mostSevere, severity } from './scopes';

/** As many as a scope keeps apart; what comes on top is one cause, `others`. */
export const MOST_CAUSES = 32;

/** These say that the desk itself cannot be trusted; `init` alone takes them away. */
export const INIT_CAUSES: readonly string[] = ['uninitialised', 'rewound'];

export function stateOf(causes: readonly Cause[]): EmergencyState {
  return mostSevere(causes.map(({ state }) => state));
}

/** The one that makes the state what it is; the latest of several. */
export function leadingCause(causes: readonly Cause[]): Cause | undefined {
  return causes.findLast(({ state }) => state === stateOf(causes));
}

/** A cause that holds already never becomes milder; a repeat of it counts as seen anew, by its epoch. */
export function withCause(causes: readonly Cause[], raised: Cause): readonly Cause[] {
  const known = causes.find(({ id }) => id === raised.id);
  if (known === undefined && causes.length >= MOST_CAUSES && raised.id !== 'others') {
    return withCause(causes, { ...raised, id: 'others' });
  }
  const others = causes.filter((cause) => cause !== known);
  return [...others, known === undefined ? raised : moreSevere(known, raised)];
}

function moreSevere(known: Cause, raised: Cause): Cause {
  if (severity(raised.state) > severity(known.state)) return raised;
  return { ...known, epoch: raised.epoch };
}
