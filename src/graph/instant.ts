const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * UTC epoch milliseconds of an instant as the language writes it: ISO 8601 with a time zone, such as
 * `"2026-01-31T08:00:00Z"` or `"2026-01-31T09:00+01:00"`. Undefined when it is none.
 */
export function instantMs(value: unknown): number | undefined {
  const match = typeof value === 'string' ? INSTANT.exec(value) : null;
  if (match === null) return undefined;
  const [text, year, month, day] = match;
  if (Number(day) > daysOf(Number(year), Number(month))) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** `Date.parse` takes the 30th of February for the 2nd of March. */
function daysOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
