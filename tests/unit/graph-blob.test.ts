import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  blobsIn,
  escapeReserved,
  fillBlobs,
  holdsBlob,
  isBlob,
  isBlobTemplate,
  stepInto,
  type BlobMarker,
} from '../../src/graph/blob';
import { valueAt } from '../../src/graph/references';

/** What was stored, by its hash. */
class Shelf {
  readonly #values = new Map<string, unknown>();

  put(value: unknown): BlobMarker {
    const json = JSON.stringify(value);
    const ref = createHash('sha256').update(json).digest('hex');
    this.#values.set(ref, value);
    const length = Array.isArray(value) ? { length: value.length } : {};
    return { $blob: { ref, bytes: Buffer.byteLength(json), sha256: ref, ...length } };
  }

  readonly valueOf = ({ $blob, path = [] }: BlobMarker): unknown => valueAt(this.#values.get($blob.ref), path);
}

const shelf = new Shelf();
const list = shelf.put([{ close: '1.5' }, { close: '2.5' }]);
const object = shelf.put({ rows: [1, 2, 3], length: 7 });
const { ref } = list.$blob;

describe('a marker', () => {
  it('is told from everything that only looks like one', () => {
    expect(isBlob(list)).toBe(true);
    expect(isBlob({ ...list, path: ['0', 'close'] })).toBe(true);
    const lookalikes = [
      null,
      ref,
      [],
      {},
      { $blob: null },
      { $blob: ref },
      { $blob: { ...list.$blob, ref: '../../etc/passwd' } },
      { $blob: { ...list.$blob, ref: 7 } },
      { $blob: { ...list.$blob, sha256: undefined } },
      { $blob: { ...list.$blob, bytes: '12' } },
      { $blob: { ...list.$blob, length: 1.5 } },
      { ...list, path: 'close' },
      { ...list, path: [0] },
    ];
    for (const each of lookalikes) expect([each, isBlob(each)]).toEqual([each, false]);
  });

  it('is stepped into by keeping the steps that are left, after those it already has', () => {
    expect(stepInto({ rows: list }, ['rows'])).toEqual(list);
    expect(stepInto({ rows: list }, ['rows', '0', 'close'])).toEqual({ ...list, path: ['0', 'close'] });
    expect(stepInto({ ...object, path: ['rows'] }, ['0'])).toEqual({ ...object, path: ['rows', '0'] });
  });

  it('knows the length of its own list, and of nothing else', () => {
    expect(stepInto(list, ['length'])).toBe(2);
    expect(stepInto(list, ['length', 'x'])).toBeUndefined();
    expect(stepInto({ ...list, path: ['0'] }, ['length'])).toEqual({ ...list, path: ['0', 'length'] });
    expect(stepInto(object, ['length'])).toEqual({ ...object, path: ['length'] });
    expect(fillBlobs(stepInto(object, ['length']), shelf.valueOf)).toBe(7);
  });

  it('is found at any depth, also behind a path and in a template', () => {
    const first = { ...list, path: ['0'] };
    const template = { $template: '{{a.b}}', values: { 'a.b': object } };
    expect(blobsIn({ a: [first, { b: template }], c: 'text' })).toEqual([first, object]);
    expect(blobsIn(7)).toEqual([]);
  });
});

describe('a value that needs to be read', () => {
  it('holds a marker, a template or an escaped key', () => {
    expect(holdsBlob({ a: [{ b: list }] })).toBe(true);
    expect(holdsBlob({ $template: 'x', values: {} })).toBe(true);
    expect(holdsBlob([escapeReserved({ $blob: 1 })])).toBe(true);
    expect(holdsBlob({ a: ['$blob', null, 7], blob: {} })).toBe(false);
  });

  it('has its markers replaced, in objects, in lists, and among the values of a formula', () => {
    const fields = {
      rows: list,
      some: [{ ...list, path: ['1', 'close'] }, null],
      condition: { formula: 'a.b > 1', values: { 'a.b': { ...list, path: ['0', 'close'] } } },
    };
    expect(fillBlobs(fields, shelf.valueOf)).toEqual({
      rows: [{ close: '1.5' }, { close: '2.5' }],
      some: ['2.5', null],
      condition: { formula: 'a.b > 1', values: { 'a.b': '1.5' } },
    });
  });

  it('loses the members that lead nowhere, and keeps the places of its items', () => {
    const nowhere = { ...list, path: ['9', 'close'] };
    expect(fillBlobs({ a: nowhere, b: [nowhere, 1] }, shelf.valueOf)).toStrictEqual({ b: [null, 1] });
    expect(fillBlobs(nowhere, shelf.valueOf)).toBeUndefined();
  });

  it('has its templates filled in by own values alone', () => {
    const values = { 'a.rows': object, 'a.last': { ...list, path: ['1', 'close'] }, 'a.text': 'so' };
    const template = { $template: '{{a.text}} {{a.last}} of {{a.rows}}{{a.gone}}{{constructor}}', values };
    expect(isBlobTemplate(template)).toBe(true);
    expect(isBlobTemplate({ $template: 'x', values: 7 })).toBe(false);
    expect(fillBlobs({ message: template }, shelf.valueOf)).toEqual({
      message: 'so 2.5 of {"rows":[1,2,3],"length":7}',
    });
  });

  it('that is stored is plain data, in which nothing is looked for', () => {
    const trap = shelf.put({ inner: list });
    expect(fillBlobs({ given: trap }, shelf.valueOf)).toEqual({ given: { inner: list } });
  });
});

/** Keys that are no accident, among all others. */
const key = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    '0',
    'length',
    'path',
    'values',
    '$blob',
    '$template',
    '$$blob',
    '$$$template',
    '__proto__',
  ),
  fc.string(),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('json')), { maxLength: 4 }).map((members) => Object.fromEntries(members) as unknown),
    fc.constant(list),
  ),
}));
/** As it comes out of a payload. */
const value = json.map((each) => JSON.parse(JSON.stringify(each)) as unknown);

describe('data that only looks like a marker', () => {
  it('is never taken for one once it was escaped, and comes back as it was', () => {
    fc.assert(
      fc.property(value, (given) => {
        const escaped = escapeReserved(given);
        expect(blobsIn(escaped)).toEqual([]);
        const refuse = () => {
          throw new Error('nothing may be read');
        };
        expect(fillBlobs(escaped, refuse)).toStrictEqual(given);
        if (!holdsBlob(escaped)) expect(escaped).toStrictEqual(given);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Puts some parts of an escaped value on the shelf, by the answers of `choose`. */
function withMarkers(given: unknown, choose: () => boolean): unknown {
  if (choose()) return shelf.put(given);
  if (typeof given !== 'object' || given === null) return escapeReserved(given);
  const members = Object.entries(given).map(([name, inner]) => [name, withMarkers(inner, choose)] as const);
  if (Array.isArray(given)) return members.map(([, inner]) => inner);
  const names = Object.keys(escapeReserved(Object.fromEntries(members.map(([name]) => [name, 0]))) as object);
  return Object.fromEntries(members.map(([, inner], at) => [names[at], inner]));
}

/** Paths a reference can have: steps never hold a `$`. */
const step = fc.constantFrom('a', 'b', '0', '1', 'length', 'path', 'values', 'rows');

describe('a value some parts of which are stored', () => {
  it('gives at every path what the whole value gives', () => {
    fc.assert(
      fc.property(value, fc.array(step, { maxLength: 4 }), fc.infiniteStream(fc.boolean()), (given, path, answers) => {
        const stored = withMarkers(given, () => answers.next().value === true);
        expect(fillBlobs(stepInto(stored, path), shelf.valueOf)).toStrictEqual(valueAt(given, path));
      }),
      { numRuns: 3_000 },
    );
  });

  it('gives the same in two strides as in one', () => {
    fc.assert(
      fc.property(value, fc.array(step, { maxLength: 3 }), fc.array(step, { maxLength: 3 }), (given, first, second) => {
        const stored = shelf.put(given);
        const strides = stepInto(stepInto(stored, first), second);
        const filled = fillBlobs(strides, shelf.valueOf);
        expect(filled).toStrictEqual(valueAt(given, [...first, ...second]));
      }),
    );
  });
});
