/** Graphs from request bodies. */
import { createHash } from 'node:crypto';
import { kindCatalogue } from '../activities/kinds';
import { prepareGraph } from '../graph/prepare';
import type { RunGraphInput } from '../workflows/messages';

/** Throws `GraphInvalid` with every mistake. */
export function prepareDocument(document: unknown): RunGraphInput {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  return prepareGraph({ document }, kindCatalogue, { mode: 'paper', sha256 }).prepared;
}
