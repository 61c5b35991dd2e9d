/**
 * What the history calls a node: its key, and its generation where it is not the first. People read it in the Web UI, and a timeline is
 * made from it, because of a node inside a workflow task the history keeps nothing else.
 */
import { wholeNumber } from '../whole-number';

/** The server refuses a task whose summary is longer than 400 bytes, and with it whatever else the task decided. */
const LONGEST = 200;

export interface NodeNamed {
  /** `price`, `each[3]/price`. */
  readonly node: string;
  readonly generation: number;
}

/** A key that is too long gives way to the node's id. */
export function nodeSummary(frame: string, nodeId: string, generation: number): string {
  const again = generation === 0 ? '' : `~${generation}`;
  const whole = `${frame === '' ? '' : `${frame}/`}${nodeId}${again}`;
  return whole.length <= LONGEST ? whole : `${nodeId}${again}`;
}

/** Undefined for what is no summary of a node. */
export function nodeOfSummary(summary: unknown): NodeNamed | undefined {
  if (typeof summary !== 'string') return undefined;
  const [, node, generation = '0'] = /^([^~]+)(?:~(\d{1,9}))?$/.exec(summary) ?? [];
  return node === undefined ? undefined : { node, generation: wholeNumber(generation) };
}
