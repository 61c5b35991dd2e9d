import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cutOutputs } from '../../src/events/cut-outputs';

describe('outputs in an event', () => {
  const LARGEST = 16 * 1024;

  it('are whole up to 16 KiB', () => {
    const outputs = { text: 'x'.repeat(LARGEST - '{"text":""}'.length) };
    expect(cutOutputs(outputs)).toEqual({ outputs });
    expect(cutOutputs({ text: `${outputs.text}y` })).toEqual({ outputs: { text: null }, truncated: true });
  });

  it('keep their smallest members, in their order, with null for the rest', () => {
    const cut = cutOutputs({ a: 'small', rows: 'x'.repeat(20_000), b: 7, gone: undefined });
    expect(cut).toEqual({ outputs: { a: 'small', rows: null, b: 7, gone: undefined }, truncated: true });
  });

  it('are empty when not even the names fit', () => {
    const names = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`member${at}`, at]));
    expect(cutOutputs(names)).toEqual({ outputs: {}, truncated: true });
  });

  it('never take more than 16 KiB', () => {
    const member = fc.oneof(
      fc.string({ maxLength: 50 }),
      fc.nat(9_000).map((size) => '"'.repeat(size)),
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), member, { maxKeys: 40 }), fc.nat(2_000), (some, more) => {
        const outputs = { ...some, ...Object.fromEntries(Array.from({ length: more }, (_, at) => [`m${at}`, at])) };
        const cut = cutOutputs(outputs);
        expect(JSON.stringify(cut.outputs).length).toBeLessThanOrEqual(LARGEST);
        expect(cut.truncated).toBe(JSON.stringify(outputs).length > LARGEST ? true : undefined);
      }),
    );
  });
});
