import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { durationMs } from '../../src/graph/duration';
import { guardIdOf, NODE_ID } from '../../src/graph/names';
import {
  fillTemplate,
  parseControlReference,
  parseDataReference,
  referencesInFormula,
  referencesInTemplate,
  valueAt,
} from '../../src/graph/references';

describe('a data reference', () => {
  it.each([
    ['a.x', { node: 'a', path: ['x'] }],
    ['balance.free.BTC', { node: 'balance', path: ['free', 'BTC'] }],
    ['a-b_1.rows.0.close', { node: 'a-b_1', path: ['rows', '0', 'close'] }],
    ['a.1-2_b', { node: 'a', path: ['1-2_b'] }],
  ])('%s names a node and a path', (text, expected) => {
    expect(parseDataReference(text)).toEqual(expected);
  });

  it.each(['', 'a', 'a.', '.x', '1a.x', 'a..x', 'a.x y', 'a.x.', 'a:when.x', ' a.x', 'a.la st'])(
    'is not %j',
    (text) => {
      expect(parseDataReference(text)).toBeUndefined();
    },
  );
});

describe('a control reference', () => {
  it.each([
    ['a', { node: 'a', on: 'success' }],
    ['a.error', { node: 'a', on: 'error' }],
    ['worth_it.pass', { node: 'worth_it', on: 'pass' }],
  ])('%s names a node and an ending', (text, expected) => {
    expect(parseControlReference(text)).toEqual(expected);
  });

  it.each(['', '.error', 'a.', 'a.b.c', '9.error', 'a. error'])('is not %j', (text) => {
    expect(parseControlReference(text)).toBeUndefined();
  });
});

describe('a template', () => {
  it('gives what stands between its braces, in order, reference or not', () => {
    expect(referencesInTemplate('{{a.x}} of {{ b.y }} and {{what ever}} {no.x} {{}}')).toEqual([
      'a.x',
      'b.y',
      'what ever',
      '',
    ]);
    expect(referencesInTemplate('none')).toEqual([]);
  });

  it('is filled with texts as they are, the rest as JSON, and nothing where there is nothing', () => {
    const values: Record<string, unknown> = { 'a.s': '$& text', 'a.o': { b: [1] }, 'a.n': 5, 'a.z': null };
    const filled = fillTemplate('{{a.s}}|{{a.o}}|{{ a.n }}|{{a.z}}|{{a.gone}}', (reference) => values[reference]);
    expect(filled).toBe('$& text|{"b":[1]}|5|null|');
  });
});

describe('a formula', () => {
  it.each([
    ['spread.bps > 8 && rsi.value < 30', ['spread.bps', 'rsi.value']],
    ['a.x + a.x * 2.5', ['a.x']],
    ['side.v == \'b.y\' || side.w == "it\\"s c.z"', ['side.v', 'side.w']],
    ['max(a.b.c, 1.5) - abs(d.e)', ['a.b.c', 'd.e']],
    ['true', []],
    [`a.x > 1.5 && b.y.0 != "c.z" || a.x == 'it\\'s d.w'`, ['a.x', 'b.y.0']],
  ])('%s refers to %j', (text, expected) => {
    expect(referencesInFormula(text)).toEqual(expected);
  });
});

describe('a formula that is too long to be one', () => {
  it('has no references, for nothing would read it', () => {
    expect(referencesInFormula(`a.x ${' '.repeat(20_000)} + b.y`)).toEqual([]);
  });
});

describe('a path into a value', () => {
  it('follows objects and lists by their own members alone', () => {
    expect(valueAt({ a: [{ b: 'x' }] }, ['a', '0', 'b'])).toBe('x');
    expect(valueAt({ a: null }, ['a', 'b'])).toBeUndefined();
    expect(valueAt('text', ['length'])).toBeUndefined();
    expect(valueAt({}, ['constructor', 'name'])).toBeUndefined();
    expect(valueAt({ a: 0 }, ['a'])).toBe(0);
    expect(valueAt(7, [])).toBe(7);
  });

  it('leads nowhere rather than throw, whatever stands there', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.string()), (value, path) => {
        expect(() => valueAt(value, path)).not.toThrow();
        expect(valueAt(value, [])).toBe(value);
      }),
    );
  });
});

describe('a duration', () => {
  it.each([
    [5, 5_000],
    [0.25, 250],
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['366d', 366 * 86_400_000],
  ])('%j is %d ms', (value, ms) => {
    expect(durationMs(value)).toBe(ms);
  });

  it.each([
    0,
    -1,
    0.0001,
    Infinity,
    NaN,
    '0s',
    '-1s',
    '5',
    's',
    '1w',
    '5 s',
    ' 5s',
    '1e3s',
    '367d',
    '',
    null,
    undefined,
    [],
    {},
    true,
  ])('%j is none', (value) => {
    expect(durationMs(value)).toBeUndefined();
  });

  it('is a whole number of milliseconds between one and 366 days, whatever it is read from', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.string(), fc.anything()), (value) => {
        const ms = durationMs(value);
        if (ms === undefined) return;
        expect(Number.isInteger(ms) && ms >= 1 && ms <= 366 * 86_400_000).toBe(true);
      }),
    );
  });
});

describe('a guard', () => {
  it('has an id no author can write', () => {
    expect(guardIdOf('a')).toBe('a:when');
    expect(NODE_ID.test(guardIdOf('a'))).toBe(false);
  });
});
