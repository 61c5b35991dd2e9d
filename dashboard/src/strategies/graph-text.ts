/** A graph's text and the places of its mistakes. Pure. */
import type { GraphCheck, Mistake } from '../wire';

/** Where in the text a line and column are, both counted from one; of what is beyond the text its end. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n');
  if (line > lines.length) return text.length;
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return before + Math.min(column - 1, lines[line - 1]?.length ?? 0);
}

export function placeOf({ line, column, path }: Mistake): string {
  return line === undefined || column === undefined ? path : `line ${line}, column ${column}`;
}

export function hintOf({ message, suggestion }: Mistake): string {
  return suggestion === undefined ? message : `${message} Did you mean ${suggestion}?`;
}

/** What a deployment of it would change. */
export function changeWords({ graph_version, deployed_version }: GraphCheck): string {
  if (deployed_version === undefined)
    return `Version ${graph_version ?? '–'} is new: nothing is deployed under this id.`;
  if (deployed_version === graph_version) return `Version ${deployed_version} is deployed already, exactly so.`;
  return `Version ${graph_version ?? '–'} would replace ${deployed_version}; what runs goes on with its own.`;
}
