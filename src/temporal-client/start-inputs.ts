/** What an execution is started with beside its graph. */
import { HoldfastError } from '../errors';
import { escapeReserved } from '../graph/blob';
import { checkInputs } from '../graph/inputs';
import { MAX_INPUT_BYTES, bytesOf } from '../graph/limits';
import { canonicalJson } from '../graph/version';
import type { RunGraphInput } from '../workflows/messages';

export type StartInputs = Readonly<Record<string, unknown>>;

/**
 * The same start with these values laid over those it has already, name by name, and defaults filled in. Throws `InputsInvalid` with every
 * mistake, and `GraphTooLarge` when graph and values together are more than an execution can carry.
 */
export function withInputs(input: RunGraphInput, given: StartInputs = {}): RunGraphInput {
  const { inputs, mistakes } = checkInputs(input.graph, { ...input.inputs, ...given });
  if (mistakes.length > 0) {
    throw new HoldfastError('InputsInvalid', mistakes.map(({ message }) => message).join(' '), { mistakes });
  }
  if (Object.keys(inputs).length === 0) return input;
  // Values from outside stand for themselves alone, whatever they look like.
  const started = { ...input, inputs: escapeReserved(inputs) as StartInputs };
  const bytes = bytesOf(JSON.stringify(started));
  if (bytes <= MAX_INPUT_BYTES) return started;
  const message = `The graph ${input.graph.id} with its inputs takes ${bytes} bytes; one execution carries ${MAX_INPUT_BYTES}.`;
  throw new HoldfastError('GraphTooLarge', message, { bytes, limit: MAX_INPUT_BYTES });
}

/** A start as it is compared with another. */
export interface ComparedStart extends Pick<RunGraphInput, 'graph' | 'version' | 'mode' | 'inputs'> {
  /** What of which execution it runs again; absent when it begins from the beginning. */
  readonly rerun?: string | undefined;
}

/** What sets two starts under one id apart, in words and as names; empty when they are the same start. */
export function differences(
  before: ComparedStart,
  now: ComparedStart,
): { readonly words: string; readonly differs: string[] } {
  if (before.graph.id !== now.graph.id) {
    return { words: `of the graph ${before.graph.id}, not ${now.graph.id}`, differs: ['workflow_id'] };
  }
  if (before.version !== now.version) {
    return { words: `of version ${before.version}, not ${now.version}`, differs: ['graph_version'] };
  }
  if (before.rerun !== now.rerun) {
    const [was, is] = [before, now].map(({ rerun }) =>
      rerun === undefined ? 'from the beginning' : `as a rerun of ${rerun}`,
    );
    return { words: `${was ?? ''}, not ${is ?? ''}`, differs: ['rerun'] };
  }
  if (before.mode !== now.mode) return { words: `in mode ${before.mode}, not ${now.mode}`, differs: ['mode'] };
  const names = otherInputs(before.inputs ?? {}, now.inputs ?? {});
  return { words: `with other inputs: ${names.join(', ')}`, differs: names.map((name) => `inputs.${name}`) };
}

function otherInputs(before: StartInputs, now: StartInputs): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => canonicalJson([before[name]]) !== canonicalJson([now[name]]));
}
