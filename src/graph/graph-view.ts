/** A graph at work, as it can be looked at. */
import { encodeRun, type CarriedGraph, type Parts } from './carry';
import { pathOf, runsAside, type Frame } from './frame';
import { fieldsUntil, outputsUntil } from './freshness';
import { itemAt } from './item-at';
import type { Loop } from './loop';
import type { PlannedNode } from './plan';
import type * as scheduler from './scheduler';
import { fieldsIn, outputsIn, type Scope } from './scope';

export class GraphView {
  protected readonly parts: Parts;
  protected readonly scope: Scope;

  protected constructor(inputs: Readonly<Record<string, unknown>>, parts: Parts) {
    this.parts = parts;
    this.scope = { frames: parts.frames, loops: parts.loops, inputs };
  }

  /** S6: all of it as JSON. */
  /** `small`: see `encodeRun`. */
  carry(small = false): CarriedGraph {
    return encodeRun(this.parts, small);
  }

  get failure(): scheduler.Failure | undefined {
    return this.top.run.failure;
  }

  get isDone(): boolean {
    return this.top.closed;
  }

  /** Whether what runs at a halt has not ended. */
  get runsAside(): boolean {
    return this.frames.some((frame) => !frame.closed && runsAside(frame));
  }

  /** Bytes of all that is held: outputs, what loops have gathered, variables. */
  get held(): number {
    return this.parts.ledger.held;
  }

  get frames(): readonly Frame[] {
    return this.parts.frames.all;
  }

  /** What the graph gives. */
  get outputs(): Record<string, unknown> {
    return outputsIn(this.scope, this.top);
  }

  /** Until when that may be acted on after a halt; undefined where nothing limits it. */
  get outputsUntil(): number | undefined {
    return outputsUntil(this.parts, this.top);
  }

  /** The same of what an instance is given. */
  fieldsUntil(id: number): number | undefined {
    const frame = this.frame(id);
    return fieldsUntil(this.parts, frame, id - frame.base);
  }

  /** Every instance that may start, in the order the frames were opened. */
  get readyIds(): number[] {
    return this.#idsIn('ready');
  }

  get runningIds(): number[] {
    return this.#idsIn('running');
  }

  #idsIn(state: scheduler.RunNode['state']): number[] {
    return this.frames.flatMap(({ base, run }) =>
      run.nodes.flatMap((node, index) => (node.state === state ? [base + index] : [])),
    );
  }

  /** False when its frame was let go. */
  has(id: number): boolean {
    return this.parts.frames.has(id);
  }

  node(id: number): PlannedNode {
    const { plan, base } = this.frame(id);
    return itemAt(plan.nodes, id - base);
  }

  state(id: number): scheduler.RunNode {
    const { run, base } = this.frame(id);
    return itemAt(run.nodes, id - base);
  }

  frame(id: number): Frame {
    return this.parts.frames.of(id);
  }

  /** `each[3]/price`. */
  key(id: number): string {
    return pathOf(this.frame(id), this.node(id).id);
  }

  /** The instance of a key in its newest generation, or undefined when there is none (any more). */
  find(key: string): number | undefined {
    const slash = key.lastIndexOf('/');
    const path = slash < 0 ? '' : key.slice(0, slash);
    const frame = this.frames.findLast((each) => each.path === path);
    const index = frame?.plan.index.get(key.slice(slash + 1));
    return frame === undefined || index === undefined ? undefined : frame.base + index;
  }

  generation(id: number): number {
    return this.parts.generations.get(id) ?? this.frame(id).generation;
  }

  fields(id: number): Record<string, unknown> {
    return fieldsIn(this.scope, this.frame(id), this.node(id));
  }

  loop(id: number): Loop | undefined {
    return this.parts.loops.get(id);
  }

  variable(name: string): unknown {
    return this.parts.variables.get(name);
  }

  protected get top(): Frame {
    return itemAt(this.frames, 0);
  }

  protected runOf({ plan, run }: Frame): scheduler.Run {
    return { plan, state: run, ledger: this.parts.ledger };
  }
}
