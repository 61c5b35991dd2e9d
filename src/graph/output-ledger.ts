/**
 * How much an execution holds of what its nodes gave. All of it travels whenever the execution continues in a new run, so it has a
 * limit. Beyond half of it, outputs that nothing unfinished reads are dropped, oldest first; what is still read is never dropped,
 * nor what the graph gives when it ends.
 */

/** A node that completed; `outputs` is absent once they were dropped. */
export interface CompletedNode {
  readonly state: 'completed';
  readonly branch?: string;
  outputs?: Readonly<Record<string, unknown>>;
  /** The graph or body gives some of them when it ends. */
  readonly kept?: true;
  /** Edges to nodes that may still read them. */
  readers: number;
  /** What they weigh. */
  readonly size: number;
  /** Until when they may be acted on after a halt, and the decisions that let it run; absent where nothing limits it. See `freshness.ts`. */
  readonly good_until?: number;
  readonly decided_until?: number;
}

export class OutputLedger {
  readonly limit: number;
  #held = 0;
  /** The one that nobody reads for the longest time first. */
  readonly #unread = new Set<CompletedNode>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  get unread(): Iterable<CompletedNode> {
    return this.#unread;
  }

  /** Makes room by dropping; says whether so much more may be held. */
  admits(size: number): boolean {
    if (this.#held + size > this.limit / 2) this.#dropFor(size);
    return this.#held + size <= this.limit;
  }

  add(node: CompletedNode): void {
    this.#held += node.size;
    this.#noteUnread(node);
  }

  /** Takes weight that is no node's output: what a loop has gathered so far. */
  take(size: number): void {
    this.#held += size;
  }

  give(size: number): void {
    this.#held -= size;
  }

  /** One more reads it. */
  hold(node: CompletedNode): void {
    node.readers += 1;
    this.#unread.delete(node);
  }

  /** One fewer reads it. */
  release(node: CompletedNode): void {
    node.readers -= 1;
    this.#noteUnread(node);
  }

  drop(node: CompletedNode): void {
    this.#unread.delete(node);
    if (node.outputs === undefined) return;
    this.#held -= node.size;
    delete node.outputs;
  }

  #noteUnread(node: CompletedNode): void {
    if (node.readers === 0 && node.kept !== true && node.outputs !== undefined) this.#unread.add(node);
  }

  #dropFor(wanted: number): void {
    for (const oldest of this.#unread) {
      if (this.#held + wanted <= this.limit / 2) return;
      this.drop(oldest);
    }
  }
}

/** Bytes a value may take on its way, from above: three for each character where one is not plain. */
export function weightOf(value: unknown): number {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) return 0;
  // eslint-disable-next-line no-control-regex -- the range is ASCII
  return /^[\x00-\x7f]*$/.test(json) ? json.length : json.length * 3;
}
