/**
 * Reads JSON text for the places of its values, its doubled keys and its first syntax error, none of which `JSON.parse` gives
 * (its messages differ between engines and often lack the position). Accepts exactly what `JSON.parse` accepts, up to
 * `MAX_DEPTH`. The YAML library could do the same, but needs two seconds for 1 MiB and words its errors for YAML.
 */
import { MAX_DEPTH } from './limits';
import { toPointer } from './pointer';
import type { Place } from './positions';

export interface Doubled {
  readonly pointer: string;
  readonly offset: number;
}

export type JsonPlaces =
  | { readonly ok: true; readonly root: Place; readonly doubled: readonly Doubled[] }
  | { readonly ok: false; readonly offset: number; readonly reason: 'syntax' | 'depth'; readonly message: string };

const SPACE = /[ \t\n\r]*/y;
/** Linear even where the closing quote is missing: no quantifier inside the repeated group. */
// eslint-disable-next-line no-control-regex
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

interface Open {
  readonly closer: '}' | ']';
  readonly step: string;
  readonly children: Map<string, Place>;
  readonly doubled: Set<string>;
}

class Refusal extends Error {
  readonly offset: number;
  readonly reason: 'syntax' | 'depth';

  constructor(offset: number, message: string, reason: 'syntax' | 'depth' = 'syntax') {
    super(message);
    this.offset = offset;
    this.reason = reason;
  }
}

/** A cursor over the text with a stack of what is open: no recursion, so no depth of the text can exhaust the call stack. */
class Reader {
  readonly #text: string;
  #at = 0;
  readonly #open: Open[] = [];
  readonly doubled: Doubled[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  read(): Place {
    const root = this.#value('', this.#next());
    while (this.#open.length > 0) this.#step();
    if (this.#next() !== this.#text.length) throw this.#expected('the end of the text');
    return root;
  }

  /** One entry of the innermost object or list, or its end. */
  #step(): void {
    const open = this.#open.at(-1) as Open;
    this.#next();
    const empty = open.children.size === 0;
    if (this.#take(open.closer)) {
      this.#open.pop();
      return;
    }
    if (!empty && !this.#take(',')) throw this.#expected(`a comma or ${open.closer}`);
    const offset = this.#next();
    const step = open.closer === '}' ? this.#key() : String(open.children.size);
    if (open.children.has(step)) this.#double(open, step, offset);
    open.children.set(step, this.#value(step, offset));
  }

  #key(): string {
    const text = this.#match(STRING);
    if (text === undefined) throw this.#expected('a key in double quotes');
    this.#next();
    if (!this.#take(':')) throw this.#expected('a colon');
    this.#next();
    return JSON.parse(text) as string;
  }

  #value(step: string, offset: number): Place {
    const children = new Map<string, Place>();
    const closer = this.#take('{') ? '}' : this.#take('[') ? ']' : undefined;
    if (closer !== undefined) {
      if (this.#open.length === MAX_DEPTH) throw new Refusal(offset, `nested deeper than ${MAX_DEPTH} levels`, 'depth');
      this.#open.push({ closer, step, children, doubled: new Set() });
    } else if (this.#match(STRING) === undefined && this.#match(SCALAR) === undefined) {
      throw this.#expected('a value');
    }
    return { offset, children };
  }

  #double(open: Open, step: string, offset: number): void {
    if (open.doubled.has(step)) return;
    open.doubled.add(step);
    const steps = this.#open.slice(1).map((each) => each.step);
    this.doubled.push({ pointer: toPointer(...steps, step), offset });
  }

  /** Skips white space; returns where the next thing begins. */
  #next(): number {
    this.#match(SPACE);
    return this.#at;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #expected(what: string): Refusal {
    const found = this.#text[this.#at];
    return new Refusal(
      this.#at,
      `expected ${what}, found ${found === undefined ? 'the end of the text' : JSON.stringify(found)}`,
    );
  }
}

export function readJsonPlaces(text: string): JsonPlaces {
  const reader = new Reader(text);
  try {
    return { ok: true, root: reader.read(), doubled: reader.doubled };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ok: false, offset: error.offset, reason: error.reason, message: error.message };
  }
}
