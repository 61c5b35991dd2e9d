import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { brief, span, table } from '../../src/cli/table';

describe('a table', () => {
  it('aligns its columns whatever the cells hold', () => {
    const cell = fc
      .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 })
      .map((text) => text.replace(/\s/g, '_'));
    const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(rows, (cells) => {
        const lines = table(['A', 'B', 'C'], cells);
        const starts = lines.map((line) => [...line.matchAll(/\S+/g)].map((match) => match.index));
        expect(starts.every((each) => JSON.stringify(each) === JSON.stringify(starts[0]))).toBe(true);
      }),
    );
  });

  it('pads by the bare text, so colours do not shift the columns', () => {
    const painted = { text: 'ok', paint: (text: string) => `<<${text}>>` };
    expect(table(['STATE', 'AGE'], [[painted, '1s']])).toEqual(['STATE  AGE', '<<ok>>     1s']);
  });
});

describe('a span', () => {
  it.each([
    [0, '0ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [59_999, '59s'],
    [3_600_000, '1h'],
    [200_000_000, '2d'],
    [-5, '0ms'],
  ])('of %d ms is written in its largest whole unit: %s', (ms, text) => {
    expect(span(ms)).toBe(text);
  });
});

describe('a value in a table', () => {
  it('is cut to the width it has', () => {
    expect(brief({ text: 'x'.repeat(100) }, 20)).toHaveLength(20);
    expect(brief({ a: 1 })).toBe('{"a":1}');
    expect(brief(undefined)).toBe('');
  });
});
