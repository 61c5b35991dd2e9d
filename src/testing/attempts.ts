/** Attempts of nodes on driven time: bodies run at once, and end when their fakes say. */
import { classifyError } from '../activities/classify-error';
import type { NodeKind, NodeOutcome } from '../activities/define-node';
import type { NodeKinds } from '../activities/kinds';
import { pureOutputs, type LargeValues } from '../activities/large-values';
import { HoldfastError } from '../errors';
import { nodeKey } from '../events/build';
import { retryDelay } from '../graph/back-off';
import type { Outcome } from '../graph/scheduler';
import type { NodeTask } from '../graph/task';
import { answerOf, assertPossible, durationOf, mistaken, type Answer, type Call, type Fakes } from './fakes';
import type { MemoryBlobs } from './memory-blobs';
import type { Timeline } from './timeline';

/** What all executions of one test share. */
export interface World {
  readonly timeline: Timeline;
  readonly kinds: NodeKinds;
  readonly fakes: Fakes;
  readonly blobs: MemoryBlobs;
  readonly values: LargeValues;
  readonly calls: Call[];
  /** Counts the calls of one generation of a node, from 1. */
  readonly count: (key: string, generation: number) => number;
  /** Bodies that were handed out and have not run yet, in that order; the time stands still until they have. */
  readonly bodies: (() => Promise<void>)[];
}

export type AttemptsOutcome =
  | (Outcome & { readonly attempt: number; readonly duration_ms: number })
  /** Taken back by a halt before it ended. */
  | { readonly kind: 'interrupted' };

export interface AttemptsRequest {
  readonly task: NodeTask;
  /** The key a test knows the node by. */
  readonly key: string;
  /** When its `total_timeout` has passed. */
  readonly expires_at: number;
  readonly ended: (outcome: AttemptsOutcome) => void;
}

/** Why an attempt failed, or what it gave, and how long it took. */
interface Done {
  readonly outcome: NodeOutcome | { readonly error: unknown };
  readonly duration_ms: number;
}

/** All attempts of one dispatch of a node. */
export class Attempts {
  readonly #world: World;
  readonly #request: AttemptsRequest;
  #attempt: number;
  #backsOff = false;
  #isCancelled = false;
  #hasEnded = false;

  constructor(world: World, request: AttemptsRequest) {
    this.#world = world;
    this.#request = request;
    this.#attempt = request.task.used_attempts;
    this.#next();
  }

  /** By a halt: between two attempts it is taken back, and one that runs is the last unless it settles the node. */
  interrupt(): void {
    this.#isCancelled = true;
    if (this.#backsOff) this.#end({ kind: 'interrupted' });
  }

  #next(): void {
    this.#attempt += 1;
    this.#backsOff = false;
    const attempt = this.#attempt;
    this.#world.bodies.push(async () => {
      const done = await perform(this.#world, this.#request, attempt);
      this.#at(this.#world.timeline.now + done.duration_ms, () => {
        this.#attempted(done);
      });
    });
  }

  /** Its total timeout comes first where it is earlier. */
  #at(instant: number, act: () => void): void {
    const { expires_at } = this.#request;
    const expired = () => {
      this.#fail({ type: 'TimeoutError', message: 'no end within total_timeout' });
    };
    const isLive = () => !this.#hasEnded;
    if (instant > expires_at) this.#world.timeline.schedule(expires_at, expired, isLive);
    else this.#world.timeline.schedule(instant, act, isLive);
  }

  #attempted({ outcome, duration_ms }: Done): void {
    if ('outputs' in outcome) {
      this.#end({ kind: 'completed', ...outcome, attempt: this.#attempt, duration_ms });
      return;
    }
    const { retry } = this.#request.task;
    const error = classifyError(outcome.error);
    const retryAt = this.#world.timeline.now + retryDelay(retry, this.#attempt);
    // A retry that could only begin after the total timeout is not waited for.
    if (!error.retryable || this.#attempt >= retry.max_attempts || retryAt > this.#request.expires_at) {
      this.#fail(error, duration_ms);
    } else if (this.#isCancelled) this.#end({ kind: 'interrupted' });
    else this.#backOff(retryAt);
  }

  #backOff(until: number): void {
    this.#backsOff = true;
    this.#at(until, () => {
      this.#next();
    });
  }

  #fail({ type, message }: { readonly type: string; readonly message: string }, duration_ms = 0): void {
    this.#end({ kind: 'failed', error: message, error_type: type, attempt: this.#attempt, duration_ms });
  }

  #end(outcome: AttemptsOutcome): void {
    this.#hasEnded = true;
    this.#request.ended(outcome);
  }
}

/** One attempt. Rejects with `TestInvalid` alone; what goes wrong in a body is its outcome. */
async function perform(world: World, { task, key }: AttemptsRequest, attempt: number): Promise<Done> {
  const kind = world.kinds.get(task.node_type);
  if (kind === undefined) throw mistaken(`there is no node kind ${task.node_type}`);
  const fake = world.fakes.get(key);
  if (fake === undefined && kind.effect !== 'pure') {
    throw mistaken(
      `\`${key}\` starts, a node of kind ${kind.type} (${kind.effect}), and has no fake; give \`nodes: { '${key}': … }\``,
    );
  }
  let fields: Call['fields'];
  try {
    fields = kind.parse(await world.values.resolve(task.fields));
  } catch (error) {
    return { outcome: { error }, duration_ms: 0 };
  }
  const at = new Date(world.timeline.now).toISOString();
  const { generation } = task;
  const call: Call = {
    key,
    node_type: kind.type,
    generation,
    attempt,
    count: world.count(key, generation),
    fields,
    at,
  };
  world.calls.push(call);
  return fake === undefined ? runPure(world, kind, task) : runFake(world, kind, { call, task });
}

async function runFake(world: World, kind: NodeKind, { call, task }: { call: Call; task: NodeTask }): Promise<Done> {
  const fake = world.fakes.get(call.key) ?? {};
  const answer: Answer = await answerOf(fake, call).catch((error: unknown) => ({ error }));
  const takes = durationOf(answer, call.key);
  const { timeout_ms } = task;
  if (takes > timeout_ms) {
    const error = new HoldfastError('TimeoutError', `no end within ${timeout_ms / 1_000} s`);
    return { outcome: { error }, duration_ms: timeout_ms };
  }
  if (answer.error !== undefined) return { outcome: { error: answer.error }, duration_ms: takes };
  assertPossible(kind, call, answer);
  const { outputs = {}, branch } = answer;
  const stored = world.values
    .store(outputs)
    .then((kept) => ({ outputs: kept, ...(branch === undefined ? {} : { branch }) }));
  return { outcome: await stored.catch((error: unknown) => ({ error })), duration_ms: takes };
}

async function runPure(world: World, kind: NodeKind, task: NodeTask): Promise<Done> {
  try {
    const fields = await world.values.resolve(task.fields);
    const { execution_id, frame, node_id, generation } = task;
    const idempotency_key = `${execution_id}/${nodeKey(frame, node_id)}/${generation}`;
    const log = { info: () => undefined };
    const { signal } = new AbortController();
    const outcome = await kind.run(fields, { task: { ...task, fields }, signal, idempotency_key, log });
    return { outcome: { ...outcome, outputs: pureOutputs(outcome.outputs) }, duration_ms: 0 };
  } catch (error) {
    return { outcome: { error }, duration_ms: 0 };
  }
}
