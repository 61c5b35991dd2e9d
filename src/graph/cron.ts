/**
 * Cron expressions as a Temporal Schedule reads them (`service/worker/scheduler/calendar.go` of the server): an own check, because
 * cron libraries differ from the server and from one another in names, ranges, field counts and in what day of month *and* day of week mean,
 * and one that says yes where the server says no moves the mistake from validation to deployment.
 */
import { itemAt } from './item-at';

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names that stand for `min`, `min + 1`, …; also by their first letters. */
  readonly names?: readonly string[];
  readonly letters?: number;
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

const SECOND: Field = { name: 'second', min: 0, max: 59 };
const DAY_OF_MONTH: Field = { name: 'day of month', min: 1, max: 31 };
const MONTH: Field = { name: 'month', min: 1, max: 12, names: MONTHS, letters: 3 };
const YEAR: Field = { name: 'year', min: 2000, max: 2100 };
const FIVE: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  DAY_OF_MONTH,
  MONTH,
  { name: 'day of week', min: 0, max: 7, names: WEEKDAYS, letters: 2 },
];
const LAYOUTS: Readonly<Record<number, readonly Field[]>> = {
  5: FIVE,
  6: [...FIVE, YEAR],
  7: [SECOND, ...FIVE, YEAR],
};

/** What may stand in place of the fields. */
export const CRON_WORDS: readonly string[] = [
  '@yearly',
  '@annually',
  '@monthly',
  '@weekly',
  '@daily',
  '@midnight',
  '@hourly',
];
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** What is wrong with a cron expression, to stand after its name; undefined when nothing is. */
export function cronProblem(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith('@')) return wordProblem(trimmed);
  if (/^(CRON_)?TZ=/.test(trimmed)) return 'names a time zone; that is what `time_zone` is for';
  const parts = trimmed.split(/\s+/);
  const layout = LAYOUTS[parts.length];
  if (layout === undefined) return `has ${parts.length} fields; five to seven are needed: ${MEANING}`;
  const problems = layout.map((field, at) => fieldProblem(field, itemAt(parts, at)));
  return problems.find((problem) => problem !== undefined) ?? neverProblem(layout, parts);
}

const MEANING = '[second] minute hour day-of-month month day-of-week [year]';

function wordProblem(word: string): string | undefined {
  if (CRON_WORDS.includes(word)) return undefined;
  if (word.startsWith('@every')) return 'is an interval; that is what `every` is for';
  return `is not one of ${CRON_WORDS.join(', ')}`;
}

function fieldProblem(field: Field, text: string): string | undefined {
  for (const part of text.split(',')) {
    if (rangeOf(field, part) === undefined) {
      return `has \`${part}\` as ${field.name}; it takes values and rising ranges of ${field.min}-${field.max}${namesOf(field)}`;
    }
  }
  return undefined;
}

function namesOf({ names, letters }: Field): string {
  return names === undefined ? '' : ` or ${names.map((name) => name.slice(0, Math.max(letters ?? 0, 3))).join(', ')}`;
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

const PART = /^(?:\*|[^-/*]+(?:-[^-/*]+)?)(?:\/\d{1,4})?$/;

/** `*`, `x`, `x-z`, each with `/step`; `x/step` goes on to the end of the field. */
function rangeOf(field: Field, part: string): Range | undefined {
  if (!PART.test(part)) return undefined;
  const [span = '', step] = part.split('/');
  const [first = '', last = step === undefined ? first : String(field.max)] =
    span === '*' ? [String(field.min), String(field.max)] : span.split('-');
  const [from, to] = [valueOf(field, first), valueOf(field, last)];
  return from === undefined || to === undefined ? undefined : rising({ from, to, step: Number(step ?? 1) });
}

function rising(range: Range): Range | undefined {
  return range.from <= range.to && range.step >= 1 ? range : undefined;
}

function valueOf({ min, max, names, letters = 0 }: Field, text: string): number | undefined {
  const lower = text.toLowerCase();
  const at = text.length >= letters ? (names?.findIndex((name) => name.startsWith(lower)) ?? -1) : -1;
  if (at >= 0) return min + at;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : undefined;
  return value === undefined || value < min || value > max ? undefined : value;
}

/** The server takes `0 0 30 2 *` and never runs it. */
function neverProblem(layout: readonly Field[], parts: readonly string[]): string | undefined {
  const earliestDay = Math.min(...valuesOf(DAY_OF_MONTH, parts[layout.indexOf(DAY_OF_MONTH)]));
  const months = valuesOf(MONTH, parts[layout.indexOf(MONTH)]);
  const comes = months.some((month) => earliestDay <= itemAt(LONGEST_MONTHS, month - 1));
  return comes ? undefined : 'never comes: no such month has that day';
}

function valuesOf(field: Field, text = ''): number[] {
  const ranges = text.split(',').map((part) => rangeOf(field, part));
  return ranges.flatMap((range) => (range === undefined ? [] : numbersOf(range)));
}

function numbersOf({ from, to, step }: Range): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, at) => from + at * step);
}
