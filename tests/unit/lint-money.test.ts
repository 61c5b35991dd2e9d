/** The lint rules that keep money from becoming a number, as they are configured. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';

// The first text with types costs what a whole type check costs.
jest.setTimeout(180_000);

const ROOT = resolve(__dirname, '../..');
/** A room with amounts in it; what is written here stands for the content of this file. */
const FILE = 'src/venues/venue.ts';

const HEAD = [
  `import { decimal, formatDecimal } from '../money';`,
  `import { wholeNumber } from '../whole-number';`,
  `declare const text: string;`,
  `declare const count: number;`,
];
const FORBIDDEN = [
  'Number(text)',
  'new Number(text)',
  '[text].map(Number)',
  'globalThis.Number(text)',
  'Number.call(undefined, text)',
  'Number.parseFloat(text)',
  'Number.parseInt(text, 10)',
  `Number['parseFloat'](text)`,
  'parseFloat(text)',
  'parseInt(text, 10)',
  '[text].map(parseFloat)',
  'globalThis.parseInt(text)',
  '((read: (given: string) => number) => read(text))(Number)',
  '+text',
  '+decimal(text)',
  '~text',
  '-text',
  '-decimal(text)',
  '(decimal(text) as unknown as { toNumber(): number }).toNumber()',
  `(decimal(text) as unknown as Record<string, () => number>)['toNumber']?.()`,
];
const ALLOWED = [
  'wholeNumber(text)',
  'decimal(text).plus("1").neg()',
  'formatDecimal(decimal(text))',
  'Number.isSafeInteger(count)',
  'Number.NaN',
  'Number.MAX_SAFE_INTEGER',
  '-1',
  '-count',
  'count + 1',
  'Math.floor(count / 2)',
  'String(count)',
];

interface Answer {
  readonly exempt: readonly string[];
  readonly reported: readonly (readonly { readonly line: number; readonly message: string }[])[];
}

function lint(files: readonly string[], ...texts: readonly (readonly string[])[]): Answer {
  const options = { cwd: ROOT, input: JSON.stringify({ files, texts: texts.map(asFile) }), encoding: 'utf8' } as const;
  return JSON.parse(execFileSync(process.execPath, [join(__dirname, '../support/lint-text.mjs')], options)) as Answer;
}

function asFile(lines: readonly string[]) {
  return { file: FILE, text: `${lines.join('\n')}\n` };
}

describe('a way from text or a decimal to a number', () => {
  const lines = [...FORBIDDEN, ...ALLOWED].map((each, at) => `export const v${at} = ${each};`);
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join('src', file));
  let answer: Answer;
  beforeAll(() => {
    answer = lint(sources, [...HEAD, ...lines], ['enum Side {', '  Buy,', '}', 'export default Side;']);
  });
  const about = (at: number) => answer.reported[0]!.filter(({ line }) => line === HEAD.length + 1 + at);

  it.each(FORBIDDEN.map((each, at) => [each, at] as const))('%s is reported', (_, at) => {
    expect(about(at)).not.toEqual([]);
  });

  it('is reported with the way out', () => {
    expect(about(0)[0]?.message).toMatch(/decimal\(\).*wholeNumber\(\)/);
  });

  it.each(ALLOWED.map((each, at) => [each, at] as const))('%s is none', (_, at) => {
    expect(about(FORBIDDEN.length + at)).toEqual([]);
  });

  it('is refused in every file of src but those that see no amount', () => {
    const rooms = /^src\/(config|graph|local-stack)\/|^src\/whole-number\.ts$|^src\/activities\/kinds\/indicators\.ts$/;
    expect(answer.exempt.filter((file) => !rooms.test(file))).toEqual([]);
    expect(sources.length).toBeGreaterThan(answer.exempt.length + 200);
  });

  it('is refused beside what was refused before', () => {
    expect(answer.reported[1]?.map(({ line }) => line)).toEqual([1, 4]);
  });
});
