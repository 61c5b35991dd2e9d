import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
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
    ['price.last', { node: 'price', path: ['last'] }],
    ['my-node.closes.0', { node: 'my-node', path: ['closes', '0'] }],
    ['price', undefined],
    ['price.', undefined],
    ['.last', undefined],
    ['1st.last', undefined],
    ['price.la st', undefined],
  ])('%j is read as %j', (text, expected) => {
    expect(parseDataReference(text)).toEqual(expected);
  });
});

describe('a control reference', () => {
  it.each([
    ['price', { node: 'price', on: 'success' }],
    ['price.error', { node: 'price', on: 'error' }],
    ['price.error.x', undefined],
    ['', undefined],
    ['price.', undefined],
  ])('%j is read as %j', (text, expected) => {
    expect(parseControlReference(text)).toEqual(expected);
  });
});

describe('a formula', () => {
  it('has the references that stand outside its texts, each once', () => {
    const formula = `a.x > 1.5 && b.y.0 != "c.z" || a.x == 'it\\'s d.w' && true`;
    expect(referencesInFormula(formula)).toEqual(['a.x', 'b.y.0']);
  });
});

describe('a template', () => {
  const values: Record<string, unknown> = { 'a.x': '$&', 'b.y': { c: [1] }, 'c.z': 3 };

  it('is filled with texts as they are and everything else as JSON', () => {
    const text = '{{a.x}} {{ b.y }} {{c.z}} {{gone.x}} {{}} {x}';
    expect(referencesInTemplate(text)).toEqual(['a.x', 'b.y', 'c.z', 'gone.x', '']);
    expect(fillTemplate(text, (reference) => values[reference])).toBe('$& {"c":[1]} 3   {x}');
  });
});

describe('valueAt', () => {
  it('follows own members only, and leads nowhere rather than throw', () => {
    expect(valueAt({ a: [{ b: null }] }, ['a', '0', 'b'])).toBeNull();
    expect(valueAt({ a: 1 }, ['constructor'])).toBeUndefined();
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.string()), (value, path) => {
        expect(() => valueAt(value, path)).not.toThrow();
        expect(valueAt(value, [])).toBe(value);
      }),
    );
  });
});
