/** Where in a text each key and list item stands. */
import { itemAt } from './item-at';
import { fromPointer } from './pointer';

export interface Position {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units. */
  readonly column: number;
}

/** A tree, not a map by pointer: a long key above many values would be repeated in every one of their pointers. */
export interface Place {
  /** Of the key in an object, of the item in a list. */
  readonly offset: number;
  readonly children: ReadonlyMap<string, Place>;
}

/** The position of an offset. Built once per text: O(log lines) per call. */
export function createLineTable(text: string): (offset: number) => Position {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (itemAt(starts, middle) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - itemAt(starts, low) + 1 };
  };
}

/** The offset of what a JSON pointer names, or of its nearest ancestor that exists. */
export function offsetOf(root: Place, pointer: string): number {
  let place = root;
  for (const step of fromPointer(pointer)) {
    const next = place.children.get(step);
    if (!next) break;
    place = next;
  }
  return place.offset;
}
