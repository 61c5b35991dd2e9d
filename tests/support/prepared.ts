import { createHash } from 'node:crypto';
import { createKinds } from '../../src/activities/kinds';
import { prepareGraph } from '../../src/graph/prepare';
import type { RunGraphInput } from '../../src/workflows/messages';

/** A graph made ready with the shipped kinds. */
export function prepare(document: unknown): RunGraphInput {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  return prepareGraph({ document }, createKinds({ venues: new Map() }), { mode: 'paper', sha256 }).prepared;
}
