/** Graphs from request bodies. */
import { createHash } from 'node:crypto';
import type { NodeKinds } from '../activities/kinds';
import { prepareGraph, type PrepareOptions, type Prepared } from '../graph/prepare';
import type { RunGraphInput } from '../workflows/messages';

const OPTIONS: PrepareOptions = {
  mode: 'paper',
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
};

/** Paper, unless real money was asked for by name. Throws `GraphInvalid` with every mistake. */
export function prepareDocument(
  document: unknown,
  kinds: NodeKinds,
  { live }: { readonly live?: boolean | undefined } = {},
): RunGraphInput {
  return prepareGraph({ document }, kinds, live === true ? { ...OPTIONS, mode: 'live' } : OPTIONS).prepared;
}

/** As `prepareDocument`; the mistakes have their places. */
export function prepareText(text: string, kinds: NodeKinds): Prepared {
  return prepareGraph({ text }, kinds, OPTIONS);
}
