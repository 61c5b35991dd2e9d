/**
 * A whole graph at work: its frames, each run by the scheduler, and the loops that open them. Plain data and no promises, so the
 * same code runs inside the sandbox and out of it. Node instances are numbers, see `frame.ts`.
 *
 * - A loop opens frames as its concurrency allows; results keep the order of the items, whatever order they end in.
 * - A frame ends when all its nodes have; its loop then opens the next, or ends its own node.
 * - A failure nobody handles gives its frame up: nothing of it starts any more, and neither in the frames inside it. Once that
 *   failure is dealt with, what was given up waits again, unless a loop at work had to be cut short: a part of its items is lost,
 *   and to begin all of them anew would repeat what the others did.
 * - A loop that was cut short is skipped when what runs of it has ended; one that failed itself has failed.
 */
import { present } from '../json';
import { decodeRun, type CarriedGraph, type Parts, type Plans } from './carry';
import { FrameTable, itemPath, runsAside, type Frame } from './frame';
import { hasAges, oldInput, withAge } from './freshness';
import { GraphView } from './graph-view';
import { createLoop, hasMore, loopOutputs, type Loop } from './loop';
import { takeResult } from './loop-results';
import { OutputLedger, weightOf } from './output-ledger';
import type { Plan } from './plan';
import * as renewals from './renewal';
import { oldReadings, type Judgement } from './rereading';
import * as scheduler from './scheduler';

type Values = Readonly<Record<string, unknown>>;

/** What follows, as node instances in the order they must be acted on. They can be looked at until the next change. */
export interface Advance {
  /** Of these some may be skipped by now. */
  readonly ready: number[];
  readonly skipped: number[];
  readonly ended: EndedLoop[];
  /** Instances that begin a new generation. */
  readonly renewed: number[];
  /** Frames that were given up: what only waits in them must be taken back. */
  readonly givenUp: Frame[];
  /** Frames that closed. */
  readonly closed: Frame[];
}

/** A loop that ended by what happened inside it; what it gave may be held no more where its own frame closed with it. */
export interface EndedLoop {
  readonly id: number;
  readonly outputs?: Values;
}

export interface GraphRunOptions {
  readonly inputs: Values;
  readonly variables: Values;
  /** Bytes of outputs it may hold. */
  readonly output_limit: number;
  /** Until when the inputs may be acted on after a halt; absent where nothing limits it. */
  readonly inputs_until?: number | undefined;
}

export class GraphRun extends GraphView {
  #advance = emptyAdvance();
  /** Whether anything in it can be too old after a halt. */
  readonly #ages: boolean;
  /** When what is being settled ended. */
  #at: number | undefined;

  private constructor(inputs: Values, parts: Parts, plan: Plan) {
    super(inputs, parts);
    this.#ages = parts.ages.inputs < Infinity || hasAges(plan);
    for (const value of parts.variables.values()) parts.ledger.take(weightOf(value));
  }

  static create(plan: Plan, options: GraphRunOptions): { run: GraphRun; first: Advance } {
    const { inputs, variables, output_limit, inputs_until = Infinity } = options;
    const parts: Parts = {
      frames: new FrameTable(),
      loops: new Map(),
      ledger: new OutputLedger(output_limit),
      variables: new Map(Object.entries(variables)),
      generations: new Map(),
      peaks: new Map(),
      ages: { inputs: inputs_until, variables: new Map(), judged_at: 0 },
    };
    const run = new GraphRun(inputs, parts, plan);
    const first = run.#changing(() => {
      run.#open({ path: '', plan, generation: 0 });
    });
    return { run, first };
  }

  /** S6: goes on from where `carried` was taken. */
  static restore(
    plans: Plans,
    carried: CarriedGraph,
    { inputs, output_limit, inputs_until = Infinity }: Omit<GraphRunOptions, 'variables'>,
  ): GraphRun {
    const parts = decodeRun(plans, carried, { ledger: new OutputLedger(output_limit), inputs_until });
    return new GraphRun(inputs, parts, plans.top);
  }

  /** Says why not, when the value does not fit beside what is held. */
  setVariable(name: string, value: unknown): string | undefined {
    const { ledger, variables } = this.parts;
    const size = weightOf(value) - weightOf(variables.get(name));
    if (!ledger.admits(size)) return `${size} bytes do not fit beside the ${ledger.held} that are held`;
    ledger.take(size);
    variables.set(name, value);
    return undefined;
  }

  start(id: number): void {
    const { run, base } = this.frame(id);
    scheduler.start(run, id - base);
  }

  unstart(id: number): void {
    const { run, base } = this.frame(id);
    scheduler.unstart(run, id - base);
  }

  /** Opens the frames of a `map` or `repeat` that was started. `at`: as for `settle`. */
  openLoop(id: number, at?: number): Advance {
    this.#at = at;
    const loop = createLoop(this.node(id).type === 'map' ? 'map' : 'repeat', this.fields(id));
    return this.#changing(() => {
      if (typeof loop === 'string') {
        this.#advance.ended.push({ id });
        this.#settle(id, { kind: 'failed', error: loop, error_type: 'InvalidInput' });
        return;
      }
      this.parts.loops.set(id, loop);
      this.#proceed(id, loop);
    });
  }

  /** `at`: when it ended, in milliseconds since 1970; what is to have an age needs it. */
  settle(id: number, outcome: scheduler.Outcome, at?: number): Advance {
    this.#at = at;
    return this.#changing(() => {
      this.#settle(id, outcome);
    });
  }

  /**
   * After a halt: what is too old and would be started with is read again where that can be, in every open frame; what runs at a halt is not
   * judged. From now on `oldInput` says who must not start, unless one instance alone is judged.
   */
  readAgain(judgement: Judgement): Advance {
    const { at, only } = judgement;
    return this.#changing(() => {
      if (!this.#ages) return;
      if (only === undefined) this.parts.ages.judged_at = at;
      const frames = only === undefined ? [...this.frames] : [this.frame(only)];
      for (const frame of frames) this.#readAgain(frame, judgement);
    });
  }

  /** Says what an instance must not start with, because it was not good any more at this instant or the last resume. */
  oldInput(id: number, at = this.parts.ages.judged_at): string | undefined {
    const frame = this.frame(id);
    return this.#ages && !runsAside(frame) ? oldInput(this.parts, frame, id - frame.base, at) : undefined;
  }

  /** Skips everything in the graph that has not started, in every frame; loops end with what runs in them. Nothing brings it back. */
  abandon(reason: string): Advance {
    return this.#changing(() => {
      this.#giveUp(this.top, reason, true);
    });
  }

  /** Gives up what runs at halts. */
  abandonAside(reason: string): Advance {
    return this.#changing(() => {
      const aside = this.frames.filter((frame) => frame.loop === undefined && frame !== this.top);
      for (const frame of aside) this.#giveUp(frame, reason, true);
    });
  }

  /** Ends a node that was taken back, or only waited, where its frame was given up: with the rest, and like the rest it may come back. */
  giveUp(id: number, reason: string): Advance {
    return this.#changing(() => {
      this.#giveUpNode(id, reason);
    });
  }

  /** Skips a node that has not ended, or failed. Undefined when it cannot be: a loop at work, and see `renewals.dismiss`. */
  dismiss(id: number, reason: string): Advance | undefined {
    const frame = this.frame(id);
    const isLost = frame.final === true && this.state(id).state === 'failed';
    if (isLost || this.parts.loops.has(id)) return undefined;
    return this.#renewing(frame, (run) => renewals.dismiss(run, id - frame.base, reason));
  }

  canRenew(id: number): boolean {
    const frame = this.frame(id);
    return !frame.closed && frame.final !== true && renewals.canRenew(this.runOf(frame), id - frame.base);
  }

  /** A new generation of a node that failed. Undefined when it cannot be: see `canRenew`. */
  renew(id: number): Advance | undefined {
    if (!this.canRenew(id)) return undefined;
    const frame = this.frame(id);
    return this.#renewing(frame, (run) => renewals.renew(run, id - frame.base));
  }

  /** A new generation of a node that is ready or only waits: it is ready, under the next number. */
  renewWaiting(id: number): Advance {
    return this.#changing(() => {
      if (this.state(id).state === 'running') this.unstart(id);
      this.#renewed(this.frame(id), id);
      this.#advance.ready.push(id);
    });
  }

  /** Opens the frame of what runs at a halt. */
  openAside(path: string, plan: Plan): Advance {
    return this.#changing(() => {
      this.#open({ path, plan, generation: 0 });
    });
  }

  /** Collects what follows from a change. Frames are let go before it, so that those which close in it can be looked at. */
  #changing(change: () => void): Advance {
    for (const frame of this.parts.frames.prune()) this.#forget(frame);
    this.#advance = emptyAdvance();
    change();
    return this.#advance;
  }

  #renewing(frame: Frame, renew: (run: scheduler.Run) => renewals.Renewal | undefined): Advance | undefined {
    const renewal = frame.closed ? undefined : renew(this.runOf(frame));
    if (renewal === undefined) return undefined;
    return this.#changing(() => {
      if (frame.run.failure === undefined && frame.final !== true) delete frame.givenUp;
      this.#follow(frame, renewal);
    });
  }

  #readAgain(frame: Frame, judgement: Judgement): void {
    if (frame.closed || frame.givenUp !== undefined || runsAside(frame)) return;
    const again = oldReadings(this.parts, frame, judgement);
    if (again.size === 0) return;
    const hasBegun = (index: number) => judgement.hasBegun(frame.base + index);
    this.#follow(frame, renewals.repeat(this.runOf(frame), again, hasBegun));
  }

  #follow(frame: Frame, renewal: renewals.Renewal): void {
    for (const index of renewal.renewed) this.#renewed(frame, frame.base + index);
    this.#collect(frame, renewal);
    this.#closeIfDone(frame);
  }

  #renewed(frame: Frame, id: number): void {
    const { generations, peaks } = this.parts;
    const generation = Math.max(this.generation(id), peaks.get(this.key(id)) ?? 0) + 1;
    generations.set(id, generation);
    for (let each = frame; each.loop !== undefined; each = this.frame(each.loop.owner)) {
      const path = this.key(each.loop.owner);
      peaks.set(path, Math.max(peaks.get(path) ?? 0, generation));
    }
    this.#advance.renewed.push(id);
  }

  #collect({ base }: Frame, { ready, skipped }: scheduler.Decision): void {
    for (const index of ready) this.#advance.ready.push(base + index);
    for (const index of skipped) this.#advance.skipped.push(base + index);
  }

  #open(frame: Pick<Frame, 'path' | 'plan' | 'generation' | 'loop'>): void {
    const { state, decision } = scheduler.createRun(frame.plan);
    const opened = this.parts.frames.open({ ...frame, run: state });
    this.#collect(opened, decision);
    this.#closeIfDone(opened);
  }

  #settle(id: number, ended: scheduler.Outcome): void {
    const frame = this.frame(id);
    const index = id - frame.base;
    const failedBefore = frame.run.failure !== undefined;
    const outcome = this.#ages ? withAge(this.parts, frame, index, { outcome: ended, at: this.#at }) : ended;
    this.#collect(frame, scheduler.settle(this.runOf(frame), index, outcome));
    const { failure } = frame.run;
    if (failure !== undefined && !failedBefore) this.#giveUp(frame, `${failure.node_id} failed`);
    this.#closeIfDone(frame);
  }

  /** `final` when it is for nothing that happened in the frame itself. */
  #giveUp(frame: Frame, reason: string, final = false): void {
    if (frame.closed) return;
    if (final) frame.final = true;
    else if (frame.givenUp !== undefined) return;
    frame.givenUp ??= reason;
    this.#advance.givenUp.push(frame);
    this.#collect(frame, scheduler.abandonRest(this.runOf(frame), reason));
    for (const [owner, loop] of this.#loopsOf(frame)) {
      frame.final = true;
      this.#cutShort(owner, loop, reason);
    }
    this.#closeIfDone(frame);
  }

  /** Once for every loop: a frame that closes by it comes back here, and thousands may be open. */
  #cutShort(owner: number, loop: Loop, reason: string): void {
    if (loop.given_up !== undefined) return;
    loop.given_up = reason;
    for (const frame of [...this.frames]) if (frame.loop?.owner === owner) this.#giveUp(frame, reason, true);
  }

  #loopsOf({ base, plan }: Frame): [number, Loop][] {
    return [...this.parts.loops].filter(([owner]) => owner >= base && owner < base + plan.nodes.length);
  }

  #giveUpNode(id: number, reason: string): void {
    const frame = this.frame(id);
    this.#collect(frame, scheduler.giveUp(this.runOf(frame), id - frame.base, reason));
    this.#closeIfDone(frame);
  }

  #closeIfDone(frame: Frame): void {
    if (frame.closed || !scheduler.isDone(frame.run)) return;
    this.parts.frames.close(frame);
    this.#advance.closed.push(frame);
    const loop = frame.loop && this.parts.loops.get(frame.loop.owner);
    if (frame.loop === undefined || loop === undefined) return;
    loop.open -= 1;
    takeResult(this.parts, this.scope, { loop, frame, index: frame.loop.index });
    this.#proceed(frame.loop.owner, loop);
  }

  /** Opens what may open; ends the node when nothing is open and nothing follows. */
  #proceed(owner: number, loop: Loop): void {
    if (loop.failure !== undefined) this.#cutShort(owner, loop, 'another item failed');
    if (loop.open === 0 || !this.#isFailing(owner, loop)) {
      while (hasMore(loop)) this.#openItem(owner, loop, loop.next);
    }
    if (loop.open > 0 || !this.parts.loops.delete(owner)) return;
    this.parts.ledger.give(loop.held);
    this.#endLoop(owner, loop);
  }

  /** An item has failed and what runs of it is awaited: no other begins. It may still be begun anew. */
  #isFailing(owner: number, { kind, on_item_error }: Loop): boolean {
    if (kind === 'map' && on_item_error === 'continue') return false;
    return this.frames.some(({ loop, closed, run }) => loop?.owner === owner && !closed && run.failure !== undefined);
  }

  #openItem(owner: number, loop: Loop, index: number): void {
    loop.next += 1;
    loop.open += 1;
    const { body } = this.node(owner);
    if (body === undefined) throw new RangeError(`node instance ${owner} has no body`);
    const path = itemPath(this.key(owner), index);
    this.#open({ path, plan: body, generation: this.generation(owner), loop: { owner, index } });
  }

  #endLoop(owner: number, loop: Loop): void {
    const { failure, given_up } = loop;
    if (failure !== undefined) {
      this.#advance.ended.push({ id: owner });
      this.#settle(owner, { kind: 'failed', ...failure });
    } else if (given_up !== undefined) this.#giveUpNode(owner, given_up);
    else {
      const outputs = loopOutputs(loop);
      this.#advance.ended.push({ id: owner, outputs });
      this.#settle(owner, { kind: 'completed', outputs, ...present({ good_until: loop.good_until }) });
    }
  }

  #forget({ base, plan }: Frame): void {
    for (const id of this.parts.generations.keys()) {
      if (id >= base && id < base + plan.nodes.length) this.parts.generations.delete(id);
    }
  }
}

function emptyAdvance(): Advance {
  return { ready: [], skipped: [], ended: [], renewed: [], givenUp: [], closed: [] };
}
