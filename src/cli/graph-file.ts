import { readFileSync } from 'node:fs';
import type { NodeKinds } from '../activities/kinds';
import { HoldfastError, messageOf } from '../errors';
import type { Mode } from '../events/envelope';
import type { Mistake } from '../graph/mistake';
import { prepareGraph, type Prepared } from '../graph/prepare';
import { sha256 } from './sha256';

/** The graph of a file, ready to start. Throws `FileUnreadable`, `GraphTooLarge`, or `GraphInvalid` with every mistake. */
export function prepareGraphFile(file: string, kinds: NodeKinds, mode: Mode = 'paper'): Prepared {
  return prepareGraph({ text: textOf(file), file }, kinds, { mode, sha256 });
}

/** Every mistake of a graph, in the order of the text, or the graph. Throws `FileUnreadable` and `GraphTooLarge`. */
export function checkGraphFile(file: string, kinds: NodeKinds): Prepared | { readonly mistakes: readonly Mistake[] } {
  try {
    return prepareGraphFile(file, kinds);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'GraphInvalid') throw error;
    return { mistakes: error.details['mistakes'] as readonly Mistake[] };
  }
}

/** Throws `FileUnreadable`. */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldfastError('FileUnreadable', sentenceFor(file, error), { file });
  }
}

function sentenceFor(file: string, error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return `${file} does not exist.`;
    case 'EISDIR':
      return `${file} is a directory, not a graph.`;
    case 'EACCES':
      return `${file} may not be read by this user.`;
    default:
      return `${file} cannot be read: ${messageOf(error)}.`;
  }
}
