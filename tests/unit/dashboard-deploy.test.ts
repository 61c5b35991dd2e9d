import { describe, expect, it } from '@jest/globals';
import { changeWords, hintOf, offsetOf, placeOf } from '../../dashboard/src/strategies/graph-text';

const TEXT = 'holdfast: 1\nid: x\n\nnodes: {}';

describe('the place of a mistake', () => {
  it('is found in the text by line and column, and at its end where the text is shorter', () => {
    const at = (line: number, column: number) => TEXT.slice(offsetOf(TEXT, line, column));
    expect([at(1, 1), at(2, 5), at(3, 1), at(4, 8)]).toEqual([TEXT, 'x\n\nnodes: {}', '\nnodes: {}', '{}']);
    expect([at(2, 90), at(9, 1), offsetOf('', 1, 1)]).toEqual(['\n\nnodes: {}', '', 0]);
  });

  it('is said in line and column, or by its path where there are none', () => {
    const mistake = { code: 'unknown_kind', path: '/nodes/a/type', message: 'There is no kind tick.' };
    expect(placeOf({ ...mistake, line: 3, column: 7 })).toBe('line 3, column 7');
    expect(placeOf(mistake)).toBe('/nodes/a/type');
    expect(hintOf({ ...mistake, suggestion: 'ticker' })).toBe('There is no kind tick. Did you mean ticker?');
    expect(hintOf(mistake)).toBe('There is no kind tick.');
  });
});

describe('what a deployment would change', () => {
  it('is said before it is done', () => {
    const check = { valid: true, mistakes: [], imported: [], graph_version: 'b2' };
    expect(changeWords(check)).toContain('b2 is new');
    expect(changeWords({ ...check, deployed_version: 'b2' })).toContain('deployed already');
    expect(changeWords({ ...check, deployed_version: 'a1' })).toContain('b2 would replace a1');
  });
});
