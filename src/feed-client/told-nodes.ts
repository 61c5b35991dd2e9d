/**
 * The nodes of a view, as a value. A record of all of them for each event would cost as much as there are nodes: of a thousand, 0.1 ms, more
 * than all else a client does with the event. So one holds what it changed and the one before it, and its record is made when it is first
 * read.
 */
import type { NodeView } from './execution-view';

export type NodeRecord = Readonly<Record<string, NodeView>>;

interface Change {
  readonly key: string;
  readonly node: NodeView;
  readonly before: ToldNodes;
  /** How many lie between this and a record, this one counted. */
  readonly count: number;
}

/** A node may be called `constructor`, and no object is to answer for one that was not told of. */
function withoutPrototype(): Record<string, NodeView> {
  return Object.create(null) as Record<string, NodeView>;
}

/** After so many changes the record is made although nobody read it, so that a look back stays short and the past is let go. */
const MOST_CHANGES = 64;

export class ToldNodes {
  /** Either a record or a change: once there is a record, all before it can be forgotten. */
  #standing: { readonly record: NodeRecord } | Change;

  private constructor(standing: { readonly record: NodeRecord } | Change) {
    this.#standing = standing;
  }

  static of(record: NodeRecord): ToldNodes {
    return new ToldNodes({ record: Object.assign(withoutPrototype(), record) });
  }

  get(key: string): NodeView | undefined {
    let standing = this.#standing;
    while ('before' in standing) {
      if (standing.key === key) return standing.node;
      standing = standing.before.#standing;
    }
    return standing.record[key];
  }

  with(key: string, node: NodeView): ToldNodes {
    const count = 'count' in this.#standing ? this.#standing.count + 1 : 1;
    const next = new ToldNodes({ key, node, before: this, count });
    if (count >= MOST_CHANGES) next.#make();
    return next;
  }

  /** The same each time. */
  get record(): NodeRecord {
    return 'record' in this.#standing ? this.#standing.record : this.#make();
  }

  #make(): NodeRecord {
    const changes: Change[] = [];
    let standing = this.#standing;
    for (; 'before' in standing; standing = standing.before.#standing) changes.push(standing);
    const record = Object.assign(withoutPrototype(), standing.record);
    for (const { key, node } of changes.toReversed()) record[key] = node;
    this.#standing = { record };
    return record;
  }
}
