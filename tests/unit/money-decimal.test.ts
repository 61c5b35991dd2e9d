import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { present } from '../../src/json';
import { decimal, formatDecimal, isDecimal } from '../../src/money';

const decimalText = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.nat(1_000_000), fc.boolean())
  .map(([whole, part, negative]) => `${negative ? '-' : ''}${whole}.${String(part).padStart(7, '0')}`);

describe('a decimal', () => {
  it.each(['0', '1', '-1', '0.5', '-0.000000000000000000000000000001', '9'.repeat(30), `1.${'1'.repeat(30)}`])(
    'is %s',
    (text) => {
      expect(isDecimal(text)).toBe(true);
    },
  );

  it.each([
    '',
    ' 1',
    '1 ',
    '+1',
    '01',
    '1.',
    '.5',
    '1e3',
    'NaN',
    'Infinity',
    '1,5',
    '0x1',
    '٣',
    '9'.repeat(31),
    `1.${'1'.repeat(31)}`,
    1,
    1.5,
    NaN,
    null,
    undefined,
    1n,
    {},
    ['1'],
  ])('is not %p', (value) => {
    expect(isDecimal(value)).toBe(false);
    expect(() => decimal(value as string)).toThrow();
  });

  it('refuses a JavaScript number in arithmetic', () => {
    expect(() => decimal('1').plus(0.1)).toThrow();
  });

  it('adds and subtracts without loss', () => {
    fc.assert(
      fc.property(decimalText, decimalText, (a, b) => {
        const there = decimal(a).plus(decimal(b)).minus(decimal(b));
        expect(there.eq(decimal(a))).toBe(true);
      }),
    );
  });

  it('is written as a decimal that reads back, without exponent and trailing zeros', () => {
    fc.assert(
      fc.property(decimalText, (text) => {
        const written = formatDecimal(decimal(text));
        expect(isDecimal(written)).toBe(true);
        expect(written).not.toMatch(/e|\.\d*0$|^-0$/);
        expect(decimal(written).eq(decimal(text))).toBe(true);
      }),
    );
  });

  it('rounds half up, and has no minus zero', () => {
    expect(formatDecimal(decimal('1.25'), 1)).toBe('1.3');
    expect(formatDecimal(decimal('-0.0001'), 2)).toBe('0');
    expect(formatDecimal(decimal('1').div('3'))).toBe('0.33333333333333333333');
    expect(formatDecimal(decimal(`1${'0'.repeat(29)}`))).toBe(`1${'0'.repeat(29)}`);
  });
});

describe('optional members', () => {
  it('are left out when undefined, and only then', () => {
    const members = present({ a: 1, b: undefined, c: null, d: '' });
    expect(Object.keys(members)).toEqual(['a', 'c', 'd']);
    expect(JSON.parse(JSON.stringify(members))).toEqual(members);
  });
});
