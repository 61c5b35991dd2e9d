const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const TEXT = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const LONGEST_MS = 366 * 86_400_000;

/**
 * Milliseconds of a duration as the language writes it: a number of seconds, or a text such as `"500ms"`, `"30s"`, `"5m"`,
 * `"1h"`, `"1d"`. Undefined when it is neither, not positive, or longer than 366 days.
 */
export function durationMs(value: unknown): number | undefined {
  const ms = typeof value === 'number' ? value * 1_000 : fromText(value);
  if (ms === undefined || !Number.isFinite(ms) || ms < 1 || ms > LONGEST_MS) return undefined;
  return Math.round(ms);
}

function fromText(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const match = TEXT.exec(value);
  const unit = UNIT_MS[match?.[2] ?? ''];
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}
