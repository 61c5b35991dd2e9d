/** Graphs from request bodies. */
import { createHash } from 'node:crypto';
import type { NodeKinds } from '../activities/kinds';
import { prepareGraph } from '../graph/prepare';
import type { RunGraphInput } from '../workflows/messages';

/** Throws `GraphInvalid` with every mistake. */
export function prepareDocument(document: unknown, kinds: NodeKinds): RunGraphInput {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  return prepareGraph({ document }, kinds, { mode: 'paper', sha256 }).prepared;
}
