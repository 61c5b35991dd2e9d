/** Names of the language made from names of other shapes. */
import { NODE_ID, RESERVED_IDS } from './names';
import type { KindDeclaration } from './kinds';

const LONGEST = 100;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A valid id from a name such as a file's: `7 days.json` gives `graph_7_days`. */
export function idFrom(name: string): string {
  const base = name.replace(/^.*[/\\]/, '').replace(/\.[^.]*$/, '');
  return validId(base.replace(/[^A-Za-z0-9_-]+/g, '_'), 'graph');
}

/**
 * A node's id from a block's: without dashes, which are a minus in formulas, and of a UUID the first eight digits after the type.
 * The same block gives the same id whatever stands beside it, unless two blocks give the same one.
 */
export function nodeIdFrom(blockId: string, type: string): string {
  const prefix = validId(word(type), 'block');
  return UUID.test(blockId) ? `${prefix}_${blockId.slice(0, 8)}` : validId(word(blockId), prefix);
}

/** Gives every name once: the second `a` is `a_2`. Counts on from the last, so that 100,000 equal names take no longer than others. */
export class UniqueNames {
  readonly #taken = new Set<string>();
  readonly #counts = new Map<string, number>();

  take(name: string): string {
    let free = name;
    let count = this.#counts.get(name) ?? 1;
    while (this.#taken.has(free)) free = `${name}_${(count += 1)}`;
    this.#counts.set(name, count);
    this.#taken.add(free);
    return free;
  }
}

function word(text: string): string {
  return text.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^_+|_+$/g, '');
}

function validId(text: string, prefix: string): string {
  const id = text.slice(0, LONGEST);
  if (id === '') return prefix;
  return NODE_ID.test(id) && !RESERVED_IDS.has(id) ? id : `${prefix}_${id}`;
}

/** `quoteAmount`, `quote-amount` and `Quote amount` are all `quote_amount`. */
export function snakeCase(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase();
}

/** The field of a kind that a name means: the name itself, or its snake case. */
export function fieldNamed(kind: KindDeclaration, name: string): string | undefined {
  return oneOf(name, Object.keys(kind.fields)) ?? (kind.open_fields === undefined ? undefined : name);
}

export function outputNamed(kind: KindDeclaration, name: string): string | undefined {
  return oneOf(name, Object.keys(kind.outputs)) ?? (kind.open_outputs === true ? name : undefined);
}

export function branchNamed(kind: KindDeclaration, name: string): string | undefined {
  return oneOf(name, kind.branches);
}

function oneOf(name: string, names: readonly string[]): string | undefined {
  return [name, snakeCase(name)].find((each) => names.includes(each));
}
