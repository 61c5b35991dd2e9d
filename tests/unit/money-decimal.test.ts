import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { present } from '../../src/json';
import { decimal, divideDown, formatDecimal, isDecimal } from '../../src/money';

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

  it('refuses a JavaScript number in arithmetic, also where the compiler was silenced', () => {
    // @ts-expect-error An operand is a decimal or its text.
    expect(() => decimal('1').plus(0.1)).toThrow();
    // @ts-expect-error Neither is one read from a number.
    expect(() => decimal(0.1)).toThrow();
  });

  it('has no way to a number by its type', () => {
    const one = decimal('1');
    const refused: (() => unknown)[] = [
      // @ts-expect-error It is not offered, though big.js has it.
      () => typeof one.toNumber,
      // @ts-expect-error Nor is arithmetic of numbers.
      () => one * 2,
      // @ts-expect-error Nor is its text a factor.
      () => '1' * 1,
      // @ts-expect-error Nor is it for `Math`.
      () => Math.max(one, 2),
      // @ts-expect-error Nor is it compared with a number.
      () => one < 2,
    ];
    expect(refused).toHaveLength(5);
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

  it('of 30 digits on either side is written digit by digit, and so is a sum of them', () => {
    const digits = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 29n }), fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }));
    const text = ([whole, part]: [bigint, bigint]) => `${whole}.${String(part).padStart(30, '0')}`;
    const scaled = ([whole, part]: [bigint, bigint]) => whole * 10n ** 30n + part;
    fc.assert(
      fc.property(digits, digits, (a, b) => {
        const sum = String(scaled(a) + scaled(b)).padStart(31, '0');
        const plain = `${sum.slice(0, -30)}.${sum.slice(-30)}`.replace(/\.?0+$/, '');
        expect(formatDecimal(decimal(text(a)).plus(decimal(text(b))))).toBe(plain);
      }),
    );
  });

  it('divided down is never more than the whole, and less than a unit of the last place below it', () => {
    const sound = fc
      .tuple(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.bigInt({ min: 0n, max: 10n ** 25n - 1n }))
      .map(([whole, part]) => `${whole}.${String(part).padStart(25, '0')}`)
      .filter((text) => decimal(text).gt('0'));
    fc.assert(
      fc.property(sound, sound, (whole, part) => {
        const [a, b] = [decimal(whole), decimal(part)];
        const quotient = divideDown(a, b);
        expect(quotient.times(b).lte(a)).toBe(true);
        expect(quotient.plus('0.00000000000000000001').times(b).gt(a)).toBe(true);
      }),
    );
    expect(formatDecimal(divideDown(decimal(`0.${'9'.repeat(25)}`), decimal('1')))).toBe(`0.${'9'.repeat(20)}`);
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
