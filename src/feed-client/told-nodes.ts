/**
 * The nodes of a view, as a value. A record of all of them for each event would cost as much as there are nodes: of a thousand, 0.1 ms, more
 * than all else a client does with the event. So the newest has a map, hands it on to the one that follows and keeps what was different
 * before: to look at the newest is to look into the map, and only who still holds an older one goes through what has changed since
 * (H. G. Baker, Shallow Binding Makes Functional Arrays Fast, 1991).
 */
import type { NodeView } from './execution-view';

export type NodeRecord = Readonly<Record<string, NodeView>>;

type All = Map<string, NodeView>;

interface Difference {
  readonly key: string;
  /** Undefined: there was none. */
  readonly node: NodeView | undefined;
  readonly after: ToldNodes;
}

/** After as many changes as there are nodes, and no fewer than these, the map is copied: who holds an old one does not hold all since. */
const FEWEST_CHANGES = 64;

export class ToldNodes {
  #standing: All | Difference;
  /** Since the map was copied. */
  readonly #changes: number;
  #record: NodeRecord | undefined;

  private constructor(all: All, changes: number) {
    this.#standing = all;
    this.#changes = changes;
  }

  static of(record: NodeRecord): ToldNodes {
    return new ToldNodes(new Map(Object.entries(record)), 0);
  }

  get(key: string): NodeView | undefined {
    let standing = this.#standing;
    while (!(standing instanceof Map)) {
      if (standing.key === key) return standing.node;
      standing = standing.after.#standing;
    }
    return standing.get(key);
  }

  with(key: string, node: NodeView): ToldNodes {
    const all = this.#all();
    if (this.#changes >= Math.max(FEWEST_CHANGES, all.size)) return new ToldNodes(new Map(all).set(key, node), 0);
    const next = new ToldNodes(all, this.#changes + 1);
    this.#standing = { key, node: all.get(key), after: next };
    all.set(key, node);
    return next;
  }

  /** The same each time. */
  get record(): NodeRecord {
    return (this.#record ??= recordOf(this.#all()));
  }

  /** The map, or of an older one a map of its own. */
  #all(): All {
    const differences: Difference[] = [];
    let standing = this.#standing;
    for (; !(standing instanceof Map); standing = standing.after.#standing) differences.push(standing);
    if (differences.length === 0) return standing;
    const all = new Map(standing);
    for (const { key, node } of differences.toReversed()) {
      if (node === undefined) all.delete(key);
      else all.set(key, node);
    }
    this.#standing = all;
    return all;
  }
}

/** A node may be called `constructor`, and no object is to answer for one that was not told of. */
function recordOf(all: All): NodeRecord {
  const record = Object.create(null) as Record<string, NodeView>;
  for (const [key, node] of all) record[key] = node;
  return record;
}
