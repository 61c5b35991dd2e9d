import { itemAt } from './item-at';

/**
 * The strongly connected components of a directed graph, each after all it points to: with edges pointing from a node to what
 * it waits for, sources come first. Tarjan's algorithm (1972), iterative: a chain of 10,000 nodes would exhaust the call stack.
 */
export function componentsOf(count: number, targetsOf: (vertex: number) => readonly number[]): number[][] {
  const search = new Search(count, targetsOf);
  for (let vertex = 0; vertex < count; vertex += 1) search.from(vertex);
  return search.found;
}

interface Frame {
  readonly vertex: number;
  readonly targets: readonly number[];
  next: number;
}

const UNSEEN = -1;

class Search {
  readonly found: number[][] = [];
  readonly #targetsOf: (vertex: number) => readonly number[];
  readonly #order: Int32Array;
  readonly #low: Int32Array;
  readonly #onPath: Uint8Array;
  readonly #path: number[] = [];
  readonly #frames: Frame[] = [];
  #clock = 0;

  constructor(count: number, targetsOf: (vertex: number) => readonly number[]) {
    this.#targetsOf = targetsOf;
    this.#order = new Int32Array(count).fill(UNSEEN);
    this.#low = new Int32Array(count);
    this.#onPath = new Uint8Array(count);
  }

  from(root: number): void {
    if (this.#order[root] !== UNSEEN) return;
    this.#enter(root);
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) this.#advance(frame);
  }

  #enter(vertex: number): void {
    this.#order[vertex] = this.#low[vertex] = this.#clock;
    this.#clock += 1;
    this.#onPath[vertex] = 1;
    this.#path.push(vertex);
    this.#frames.push({ vertex, targets: this.#targetsOf(vertex), next: 0 });
  }

  #advance(frame: Frame): void {
    const target = frame.targets[frame.next];
    frame.next += 1;
    if (target === undefined) this.#leave(frame.vertex);
    else if (this.#order[target] === UNSEEN) this.#enter(target);
    else if (this.#onPath[target] === 1) this.#lower(frame.vertex, itemAt(this.#order, target));
  }

  #leave(vertex: number): void {
    this.#frames.pop();
    const parent = this.#frames.at(-1)?.vertex;
    if (parent !== undefined) this.#lower(parent, itemAt(this.#low, vertex));
    if (this.#low[vertex] === this.#order[vertex]) this.found.push(this.#cut(vertex));
  }

  #lower(vertex: number, to: number): void {
    this.#low[vertex] = Math.min(itemAt(this.#low, vertex), to);
  }

  #cut(root: number): number[] {
    const component = [root];
    for (let vertex = this.#path.pop(); vertex !== undefined && vertex !== root; vertex = this.#path.pop()) {
      component.push(vertex);
    }
    for (const vertex of component) this.#onPath[vertex] = 0;
    return component;
  }
}
