/**
 * Frames: the graph itself is one, every item of a `map` and every iteration of a `repeat` another. A node instance is a number:
 * its frame's `base` and the plan's index. Numbers are never used twice, and need no look at a table of names.
 */
import { itemAt } from './item-at';
import type { Plan } from './plan';
import type { RunState } from './scheduler';

export interface Frame {
  /** Empty at the top, else `each[3]`, `each[3]/again[0]`. */
  readonly path: string;
  readonly base: number;
  readonly plan: Plan;
  readonly run: RunState;
  /** The generation its nodes begin with. */
  readonly generation: number;
  /** The loop it belongs to; absent at the top and for what runs at a halt. */
  readonly loop?: LoopPlace;
  /** Why nothing of it starts any more. */
  givenUp?: string;
  /** Nothing brings it back: it was given up from around it, or with a loop cut short in it. */
  final?: true;
  /** All its nodes have ended and its result is taken. */
  closed: boolean;
}

export interface LoopPlace {
  /** The instance of the `map` or `repeat`. */
  readonly owner: number;
  readonly index: number;
}

/** Closed frames are kept for the status while all frames together have no more nodes than this. */
const KEPT_NODES = 5_000;
/** So many nodes are let go at once, that looking for them costs little for each. */
const LET_GO_NODES = 1_000;

/** Frames in the order of their bases, which is the order they were opened in. */
export class FrameTable {
  #frames: Frame[] = [];
  /** But the top's. */
  #nodes = 0;
  #closedNodes = 0;
  #nextBase: number;

  constructor(nextBase = 0) {
    this.#nextBase = nextBase;
  }

  get all(): readonly Frame[] {
    return this.#frames;
  }

  get nextBase(): number {
    return this.#nextBase;
  }

  open(rest: Pick<Frame, 'path' | 'plan' | 'run' | 'generation' | 'loop'>): Frame {
    const frame: Frame = { ...rest, base: this.#nextBase, closed: false };
    this.#nextBase += frame.plan.nodes.length;
    this.add(frame);
    return frame;
  }

  has(id: number): boolean {
    return this.#find(id) !== undefined;
  }

  /** The frame of an instance. Throws `RangeError` when it was let go. */
  of(id: number): Frame {
    const frame = this.#find(id);
    if (frame === undefined) throw new RangeError(`no node instance ${id}`);
    return frame;
  }

  #find(id: number): Frame | undefined {
    let low = 0;
    let high = this.#frames.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (itemAt(this.#frames, middle).base <= id) low = middle;
      else high = middle - 1;
    }
    const frame = this.#frames[low];
    const holds = frame !== undefined && id >= frame.base && id < frame.base + frame.plan.nodes.length;
    return holds ? frame : undefined;
  }

  close(frame: Frame): void {
    frame.closed = true;
    if (frame.path !== '') this.#closedNodes += frame.plan.nodes.length;
  }

  /** Lets the oldest closed frames go when there are too many nodes, each with the frames inside it; the top stays. */
  prune(): readonly Frame[] {
    if (this.#nodes <= KEPT_NODES || this.#closedNodes < LET_GO_NODES) return [];
    const gone = new Set<Frame>();
    for (const frame of this.#frames) {
      const around = frame.loop && this.of(frame.loop.owner);
      const isInside = around !== undefined && gone.has(around);
      if (isInside || (frame.closed && frame.path !== '' && this.#nodes > KEPT_NODES - LET_GO_NODES)) {
        gone.add(frame);
        this.#nodes -= frame.plan.nodes.length;
        this.#closedNodes -= frame.plan.nodes.length;
      }
    }
    this.#frames = this.#frames.filter((frame) => !gone.has(frame));
    return [...gone];
  }

  /** One that was open before, in the order of the bases. */
  add(frame: Frame): void {
    this.#frames.push(frame);
    if (frame.path === '') return;
    this.#nodes += frame.plan.nodes.length;
    if (frame.closed) this.#closedNodes += frame.plan.nodes.length;
  }
}

/** The path of a frame inside the loop that has this key. */
export function itemPath(key: string, index: number): string {
  return `${key}[${index}]`;
}

export function pathOf(frame: Frame, nodeId: string): string {
  return frame.path === '' ? nodeId : `${frame.path}/${nodeId}`;
}

/** The frames of what runs at a halt. */
export const ON_HALT = ':on_halt';

/** Whether it is, or stands in, what runs at a halt. */
export function runsAside({ path }: Pick<Frame, 'path'>): boolean {
  return path.startsWith(ON_HALT);
}
