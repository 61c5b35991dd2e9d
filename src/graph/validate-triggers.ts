/** Validation of triggers: what a schedule cannot do. */
import { durationMs } from './duration';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { membersOf } from './node-reading';
import { toPointer } from './pointer';

const SHORTEST_MS = 1_000;
const DEFAULT_OVERLAP = 'skip';

/** All triggers of a graph become one Temporal Schedule, which has one overlap policy. */
export function checkTriggers(triggers: ReadonlyMap<string, unknown>): Mistake[] {
  const read = [...triggers].map(([id, raw]) => ({ id, trigger: membersOf(raw) }));
  const overlapOf = (trigger: ReadonlyMap<string, unknown>) => trigger.get('overlap') ?? DEFAULT_OVERLAP;
  const overlap = read[0] && overlapOf(read[0].trigger);
  return read.flatMap(({ id, trigger }) => [
    ...checkEvery(id, trigger.get('every')),
    ...(overlapOf(trigger) === overlap ? [] : [otherOverlap(id)]),
  ]);
}

function checkEvery(id: string, every: unknown): Mistake[] {
  const ms = durationMs(every);
  if (ms === undefined || ms >= SHORTEST_MS) return [];
  return [mistake('bad_trigger', toPointer('triggers', id, 'every'), '`every` must be at least one second.')];
}

function otherOverlap(id: string): Mistake {
  const message = `All triggers of a graph share one \`overlap\` (default "${DEFAULT_OVERLAP}").`;
  return mistake('bad_trigger', toPointer('triggers', id, 'overlap'), message);
}
