import { describe, expect, it } from '@jest/globals';
import { isWholeNumber, wholeNumber } from '../../src/whole-number';

describe('a whole number', () => {
  it.each([
    ['0', 0],
    ['-7', -7],
    ['007', 7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['-9007199254740991', Number.MIN_SAFE_INTEGER],
  ])('is %s', (text, value) => {
    expect([isWholeNumber(text), wholeNumber(text)]).toEqual([true, value]);
  });

  it.each([
    ...['', ' 1', '1 ', '+1', '1.0', '1.5', '1e3', '0x10', '1_000', '٣', 'NaN', 'Infinity', '--1'],
    ...['9007199254740992', '-9007199254740992', '1'.repeat(17)],
  ])('is not %p, which is refused rather than rounded', (text) => {
    expect(isWholeNumber(text)).toBe(false);
    expect(() => wholeNumber(text)).toThrow(RangeError);
  });
});
