/** What stands in for the bodies of nodes in a test. */
import type { NodeKind } from '../activities/define-node';
import { HoldfastError, type ErrorCode } from '../errors';
import { durationMs } from '../graph/duration';
import { isOfType } from '../graph/inputs';
import type { Graph, NodeSpec } from '../graph/schema';
import { createSuggest } from '../graph/suggest';
import { present } from '../json';

/** One attempt of one node. */
export interface Call {
  /** `order`, or inside loops `each[1]/price`. */
  readonly key: string;
  readonly node_type: string;
  readonly generation: number;
  /** From 1, over all attempts of the node's generation. */
  readonly attempt: number;
  /** From 1, over all calls of the node’s generation; a halt that takes a node back makes the attempts begin anew, but not this. */
  readonly count: number;
  /** Checked as a worker checks them, with the kind's defaults. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** How one attempt ends: as completed, or with `error`. */
export interface Answer {
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** Of condition kinds: which control output it takes. */
  readonly branch?: string;
  /** Whatever a body may throw. */
  readonly error?: unknown;
  /** Driven time: a number is seconds, or `"500ms"`, `"30s"`, `"5m"`; default none. Beyond the node's timeout it fails with `TimeoutError`. */
  readonly takes?: number | string;
}

/** The same answer to every attempt, or one that depends on it. What the function throws is classified as a worker does. */
export type Fake = Answer | ((call: Call) => Answer | Promise<Answer>);

export interface FailsOptions {
  /** How many calls of each node fail, counted anew in each generation; default all. */
  readonly times?: number;
  /** What answers those after them; default no outputs. */
  readonly then?: Fake;
  readonly takes?: number | string;
}

/** Fails with an error of the catalogue, whose code says whether a retry helps. */
export function fails(
  code: ErrorCode,
  message: string,
  { times = Infinity, then = {}, takes }: FailsOptions = {},
): Fake {
  return (call) => {
    if (call.count > times) return answerOf(then, call);
    return { error: new HoldfastError(code, message), ...present({ takes }) };
  };
}

/** Never answers: the node's timeout ends every attempt. */
export function hangs(): Fake {
  return { takes: FOR_EVER };
}

const FOR_EVER = 'for ever';

export async function answerOf(fake: Fake, call: Call): Promise<Answer> {
  return typeof fake === 'function' ? fake(call) : fake;
}

/** Driven milliseconds. */
export function durationOf({ takes }: Answer, key: string): number {
  if (takes === undefined) return 0;
  const ms = takes === FOR_EVER ? Infinity : spanMs(takes);
  if (ms === undefined) throw mistaken(`the fake of \`${key}\` takes ${JSON.stringify(takes)}, which is no duration`);
  return ms;
}

/** A duration as graphs have it, or none at all. */
export function spanMs(duration: number | string): number | undefined {
  return duration === 0 ? 0 : durationMs(duration);
}

export function mistaken(message: string): HoldfastError {
  return new HoldfastError('TestInvalid', `The test is wrong: ${message}.`);
}

/** A fake that gives what its kind never would proves nothing. Throws `TestInvalid`. */
export function assertPossible(kind: NodeKind, { key, fields }: Call, { outputs = {}, branch }: Answer): void {
  for (const [name, value] of Object.entries(outputs)) {
    const type = Object.hasOwn(kind.outputs, name) ? kind.outputs[name]?.type : undefined;
    if (type === undefined && kind.open_outputs !== true) {
      throw mistaken(`the fake of \`${key}\` gives \`${name}\`, which is no output of ${kind.type}`);
    }
    if (type !== undefined && type !== 'any' && !isOfType(type, value)) {
      throw mistaken(
        `the fake of \`${key}\` gives \`${name}\` ${JSON.stringify(value)}, and ${kind.type} gives ${type}`,
      );
    }
  }
  assertBranch(kind, { key, fields, branch });
}

function assertBranch(
  { type, branches, branches_from }: NodeKind,
  { key, fields, branch }: { key: string; fields: Call['fields']; branch: string | undefined },
): void {
  const named = branches_from === undefined ? undefined : fields[branches_from];
  const all = [...branches, ...Object.keys(typeof named === 'object' && named !== null ? named : {})];
  if (branch === undefined ? all.length === 0 : all.includes(branch)) return;
  const can = all.length === 0 ? 'none' : all.join(', ');
  throw mistaken(`the fake of \`${key}\` takes the branch ${branch ?? 'none'}; ${type} has ${can}`);
}

/** Fakes by key. `each/price` stands for all items, `each[1]/price` for one. */
export class Fakes {
  readonly #fakes: ReadonlyMap<string, Fake>;

  /** Throws `TestInvalid` when a fake names no node of the graph. */
  constructor(fakes: Readonly<Record<string, Fake>>, { nodes, on_halt }: Graph) {
    this.#fakes = new Map(Object.entries(fakes));
    const keys = new Set([...keysOf(nodes, ''), ...keysOf(on_halt?.nodes ?? {}, 'on_halt/')]);
    const suggest = createSuggest();
    for (const key of this.#fakes.keys()) {
      if (keys.has(anyItem(key))) continue;
      const near = suggest(anyItem(key), keys);
      const hint = near === undefined ? '' : `; did you mean \`${near}\``;
      throw mistaken(`there is a fake for \`${key}\`, but no such node${hint}`);
    }
  }

  get(key: string): Fake | undefined {
    return this.#fakes.get(key) ?? this.#fakes.get(anyItem(key));
  }
}

/** The key without the numbers of items and iterations. */
export function anyItem(key: string): string {
  return key.replaceAll(/\[\d+\]/g, '').replace(/^:/, '');
}

function keysOf(nodes: Readonly<Record<string, NodeSpec>>, before: string): string[] {
  return Object.entries(nodes).flatMap(([id, { body }]) => [
    `${before}${id}`,
    ...keysOf(body?.nodes ?? {}, `${before}${id}/`),
  ]);
}
