/** A cell is its text, or its text and how to paint it: padding is counted on the bare text. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

const GAP = '  ';

/** Aligned columns under a header; the last column is not padded. Lines end without blanks. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => textOf(row[column]).length)));
  return all.map((row) =>
    row
      .map((cell, column) => padded(cell, column, widths))
      .join(GAP)
      .trimEnd(),
  );
}

function padded(cell: Cell, column: number, widths: readonly number[]): string {
  const text = textOf(cell);
  const blanks = column === widths.length - 1 ? '' : ' '.repeat((widths[column] ?? 0) - text.length);
  return (typeof cell === 'string' ? text : cell.paint(text)) + blanks;
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === 'object' ? cell.text : (cell ?? '');
}

const STEPS = [
  { unit: 'd', ms: 86_400_000 },
  { unit: 'h', ms: 3_600_000 },
  { unit: 'm', ms: 60_000 },
  { unit: 's', ms: 1_000 },
] as const;

/** A span in its largest whole unit: `3d`, `2h`, `45s`, `120ms`. */
export function span(ms: number): string {
  const step = STEPS.find((each) => ms >= each.ms);
  return step ? `${Math.floor(ms / step.ms)}${step.unit}` : `${Math.max(0, Math.round(ms))}ms`;
}

/** One line of JSON, cut so that a table stays readable. */
export function brief(value: unknown, width = 72): string {
  const text = value === undefined ? '' : JSON.stringify(value);
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
