/** References: how one node names what another gave, and where they may stand. */

/** `node.output`, deeper as `balance.free.BTC` or `candles.closes.0`. */
export interface DataReference {
  readonly node: string;
  /** At least one step; the first is the output's name. */
  readonly path: readonly string[];
}

/** `node`, `node.success`, `node.error`, `node.finished`, or a branch such as `worth_it.pass`. */
export interface ControlReference {
  readonly node: string;
  readonly on: string;
}

const DATA = /^[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)+$/;
const CONTROL = /^([A-Za-z][A-Za-z0-9_-]*)(?:\.([A-Za-z0-9_-]+))?$/;
/** The spaces inside the braces are cut off afterwards: a pattern for them takes minutes for 20,000 that nothing follows. */
const TEMPLATE = /\{\{([^{}]*)\}\}/g;
/** Longer formulas are refused, so nothing is looked for in them: quotes that never close take time by the square of the length. */
export const MAX_FORMULA = 1_000;
const STRING_LITERAL = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g;
/** In a formula a dash is a minus, so ids with dashes cannot stand there. */
const FORMULA_REFERENCE = /(?<![A-Za-z0-9_.])[A-Za-z]\w*(?:\.\w+)+/g;

export function parseDataReference(text: string): DataReference | undefined {
  if (!DATA.test(text)) return undefined;
  const dot = text.indexOf('.');
  const rest = text.slice(dot + 1);
  return { node: text.slice(0, dot), path: rest.includes('.') ? rest.split('.') : [rest] };
}

export function parseControlReference(text: string): ControlReference | undefined {
  const [, node, on = 'success'] = CONTROL.exec(text) ?? [];
  return node === undefined ? undefined : { node, on };
}

/** What stands between `{{` and `}}`, in order, whether or not it is a reference. */
export function referencesInTemplate(text: string): string[] {
  return Array.from(text.matchAll(TEMPLATE), (match) => (match[1] ?? '').trim());
}

/** The bare references of a formula such as `spread.bps > 8 && rsi.value < 30`, each once, in order. */
export function referencesInFormula(text: string): string[] {
  if (text.length > MAX_FORMULA) return [];
  const bare = text.replace(STRING_LITERAL, "''");
  return [...new Set([...bare.matchAll(FORMULA_REFERENCE)].map((match) => match[0]))];
}

/** Replaces every `{{reference}}` by what `valueOf` gives, objects as JSON. */
export function fillTemplate(text: string, valueOf: (reference: string) => unknown): string {
  return text.replace(TEMPLATE, (_, reference: string) => asText(valueOf(reference.trim())));
}

function asText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Follows a path into a value; undefined where it leads nowhere. Only own properties count. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string, unknown>)[step];
  }
  return current;
}
