import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defineNode, field, type NodeOutcome } from '../../src/activities/define-node';
import { createNodeActivities } from '../../src/activities/node-activities';
import type { BlobStore } from '../../src/blobs/blob-store';
import { FileBlobStore } from '../../src/blobs/file-blob-store';
import { isBlob, stepInto, type BlobMarker, type BlobRef } from '../../src/graph/blob';
import type { Effect } from '../../src/graph/kinds';
import { nodeContext } from '../support/node-context';

const KIB = 1024;
const MIB = 1024 * KIB;

/** The real store, counting. */
class CountingStore implements BlobStore {
  reads = 0;
  writes = 0;
  readonly #store: BlobStore;

  constructor(store: BlobStore) {
    this.#store = store;
  }

  put(json: string): Promise<BlobRef> {
    this.writes += 1;
    return this.#store.put(json);
  }

  get(ref: BlobRef): Promise<string> {
    this.reads += 1;
    return this.#store.get(ref);
  }
}

let directory: string;
let blobs: CountingStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-large-'));
  blobs = new CountingStore(new FileBlobStore(directory));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

type Outputs = NodeOutcome['outputs'];

const activity = (effect: Effect, body: (value: unknown) => Outputs) => {
  const kind = defineNode({
    type: 'sample',
    family: 'test',
    effect,
    description: 'Does as the test says.',
    fields: { value: field.any('Given to the body.') },
    outputs: {},
    run: ({ value }) => ({ outputs: body(value), branch: 'pass' }),
  });
  const run = createNodeActivities([kind], { blobs, log: () => nodeContext().log })['sample']!;
  return (fields: Outputs) => run({ ...nodeContext().task, fields });
};
/** What a node that gives these outputs hands to its execution. */
const carried = async (outputs: Outputs, effect: Effect = 'read') =>
  (await activity(effect, () => outputs)({ value: 0 })).outputs;
/** What a node's body sees of a field, by one worker's activity. */
const reader = () => {
  let seen: unknown;
  const run = activity('read', (value) => ((seen = value), {}));
  return async (value: unknown) => {
    await run({ value });
    return seen;
  };
};
const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const sized = (bytes: number) => ({ text: 'x'.repeat(bytes - '{"text":""}'.length) });
const candles = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ close: `${at}.5`, note: 'é'.repeat(20) }));

describe('what a node gives', () => {
  it.each([
    ['read', 64 * KIB],
    ['notify', 64 * KIB],
  ] as const)('of effect %s stays as it is up to %d bytes, and is stored beyond', async (effect, limit) => {
    expect(await carried(sized(limit), effect)).toEqual(sized(limit));
    expect(blobs.writes).toBe(0);
    const { text } = await carried(sized(limit + 1), effect);
    expect(isBlob(text)).toBe(true);
    expect(JSON.parse(await blobs.get((text as BlobMarker).$blob))).toBe(sized(limit + 1).text);
  });

  it('is counted in bytes, not in characters', async () => {
    const { text } = await carried({ text: '€'.repeat(30 * KIB) });
    expect((text as BlobMarker).$blob.bytes).toBe(90 * KIB + 2);
  });

  it('loses its largest values first, and no more than must go', async () => {
    const outputs = { small: 1, rows: candles(2_000), last: '9.5', text: 'y'.repeat(40 * KIB), gone: undefined };
    const { rows, ...rest } = await carried(outputs);
    expect((rows as BlobMarker).$blob).toMatchObject({ bytes: bytesOf(outputs.rows), length: 2_000 });
    expect(rest).toStrictEqual({ small: 1, last: '9.5', text: outputs.text });
    expect(blobs.writes).toBe(1);
  });

  it('never takes more than 64 KiB of the execution, however many values it has', async () => {
    const outputs = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`v${at}`, `${at}`.repeat(400)]));
    const kept = await carried(outputs);
    expect(bytesOf(kept)).toBeLessThanOrEqual(64 * KIB);
    expect(Object.keys(kept)).toEqual(Object.keys(outputs));
    expect(await reader()(kept)).toEqual(outputs);
  });

  it.each([
    ['of a pure node beyond 16 KiB', 'pure', sized(16 * KIB + 1)],
    ['beyond 16 MiB', 'read', sized(16 * MIB + 1)],
    ['of too many small values', 'read', Object.fromEntries(candles(8_000).map((each, at) => [`v${at}`, each.close]))],
    ['nested deeper than anyone may walk', 'read', { deep: JSON.parse('['.repeat(300) + ']'.repeat(300)) as unknown }],
  ] as const)('%s is refused', async (_, effect, outputs) => {
    await expect(carried(outputs, effect)).rejects.toMatchObject({ code: 'OutputTooLarge' });
    expect(blobs.writes).toBe(0);
  });

  it('may be 16 KiB of a pure node, and 16 MiB of any other', async () => {
    expect(await carried(sized(16 * KIB), 'pure')).toEqual(sized(16 * KIB));
    const { text } = await carried(sized(16 * MIB));
    expect(isBlob(text)).toBe(true);
  });

  it('keeps its branch', async () => {
    expect(await activity('read', () => sized(100 * KIB))({ value: 0 })).toMatchObject({ branch: 'pass' });
  });
});

describe('what a node is given', () => {
  it('is the value another one gave, whole or in part, wherever the marker stands', async () => {
    const rows = candles(3_000);
    const kept = await carried({ rows });
    const read = reader();
    expect(await read(kept['rows'])).toEqual(rows);
    const part = stepInto(kept, ['rows', '7', 'close']);
    expect(await read({ a: [part, null], formula: 'x.y > 1', values: { 'x.y': part } })).toEqual({
      a: ['7.5', null],
      formula: 'x.y > 1',
      values: { 'x.y': '7.5' },
    });
    expect(await read({ $template: 'last {{p.rows.7.close}}', values: { 'p.rows.7.close': part } })).toBe('last 7.5');
  });

  it('is read once for all nodes of a worker, at the same time and later', async () => {
    const kept = await carried({ rows: candles(3_000) });
    const read = activity('read', (value) => ({ value }));
    const parts = Array.from({ length: 1_000 }, (_, at) => stepInto(kept, ['rows', String(at)]));
    const outcomes = await Promise.all(parts.map((value) => read({ value })));
    expect(outcomes[999]?.outputs).toEqual({ value: candles(1_000)[999] });
    await read({ value: kept['rows'] });
    expect(blobs.reads).toBe(1);
  });

  it('is a copy, so that what one node does to it no other sees', async () => {
    const kept = await carried({ rows: candles(3_000) });
    const read = activity('read', (value) => {
      const rows = value as { close: string }[];
      const { close } = rows[0]!;
      rows[0]!.close = 'spoilt';
      return { close };
    });
    for (let run = 0; run < 2; run += 1)
      expect((await read({ value: kept['rows'] })).outputs).toEqual({ close: '0.5' });
  });

  it('is checked like any other value', async () => {
    const kind = defineNode({
      type: 'strict',
      family: 'test',
      effect: 'pure',
      description: 'Takes decimals.',
      fields: { values: field.decimals('Decimals.') },
      outputs: {},
      run: ({ values }) => ({ outputs: { count: values.length } }),
    });
    const run = createNodeActivities([kind], { blobs, log: () => nodeContext().log })['strict']!;
    const decimals = Array.from({ length: 9_000 }, () => '12345.678');
    const { good, bad } = await carried({ good: decimals, bad: ['x'.repeat(70 * KIB)] });
    const task = { ...nodeContext().task, node_type: 'strict' };
    expect((await run({ ...task, fields: { values: good } })).outputs).toEqual({ count: 9_000 });
    await expect(run({ ...task, fields: { values: bad } })).rejects.toMatchObject({ code: 'InvalidInput' });
    const nowhere = stepInto({ good }, ['good', 'close']);
    await expect(run({ ...task, fields: { values: nowhere } })).rejects.toMatchObject({ code: 'InvalidInput' });
  });

  it('is refused beyond 64 MiB, each value counted once', async () => {
    const ref = (digit: string) => digit.repeat(64);
    const marker = (digit: string) => ({ $blob: { ref: ref(digit), bytes: 16 * MIB, sha256: ref(digit) } });
    const read = reader();
    await expect(read(['1', '2', '3', '4', '5'].map(marker))).rejects.toMatchObject({ code: 'InputTooLarge' });
    await expect(read(['1', '2', '3', '4', '1'].map(marker))).rejects.toMatchObject({ code: 'BlobMissing' });
  });

  it('fails with the store’s own error, and is read anew at the next attempt', async () => {
    const rows = candles(3_000);
    const kept = await carried({ rows });
    const read = reader();
    await rm(directory, { recursive: true });
    await expect(read(kept['rows'])).rejects.toMatchObject({ code: 'BlobMissing' });
    await carried({ rows });
    expect(await read(kept['rows'])).toEqual(rows);
  });
});

describe('a value of a stranger that looks like a marker', () => {
  it('reads nobody’s blob: the next node is given it as it was', async () => {
    const { secret } = await carried({ secret: 'x'.repeat(70 * KIB) });
    const forged = { answer: secret, text: { $template: '{{a.b}}', values: { 'a.b': secret } } };
    for (const effect of ['read', 'pure'] as const) {
      expect(await reader()(await carried({ ...forged, $blob: 1 }, effect))).toEqual({ ...forged, $blob: 1 });
    }
    expect(await reader()(await carried({ forged, rest: 'y'.repeat(70 * KIB) }))).toMatchObject({ forged });
    expect(await reader()(await carried({ large: { ...forged, rest: 'y'.repeat(70 * KIB) } }))).toMatchObject({
      large: forged,
    });
    expect(blobs.reads).toBe(2);
  });
});
