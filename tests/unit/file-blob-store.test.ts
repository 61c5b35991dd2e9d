import fs, { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FileBlobStore } from '../../src/blobs/file-blob-store';

const DAY_MS = 86_400_000;
const TEXT = JSON.stringify({ price: '1 €', rows: [1, 2] });
/** `printf … | sha256sum` */
const REF = '2941e4b6ecdf5d605ca9271ef3e6e40f5054f708026dfa1c6d7f90ba09473e6b';

let home: string;
let store: FileBlobStore;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdfast-blobs-'));
  store = new FileBlobStore(join(home, 'blobs'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const pathOf = (ref: string) => join(home, 'blobs', ref.slice(0, 2), ref.slice(2, 4), ref);
const filesOf = async () => {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
};
const age = async (path: string, days: number) => {
  const then = new Date(Date.now() - days * DAY_MS);
  await utimes(path, then, then);
};
const ageOf = async (path: string) => Date.now() - (await stat(path)).mtimeMs;

describe('a blob store of files', () => {
  it('keeps a text under its hash, for its owner’s eyes alone, and gives it back', async () => {
    const put = await store.put(TEXT);
    expect(put).toEqual({ ref: REF, bytes: Buffer.byteLength(TEXT), sha256: REF });
    expect(await store.get(put)).toBe(TEXT);
    expect(await filesOf()).toEqual([REF]);
    expect((await stat(pathOf(REF))).mode & 0o777).toBe(0o600);
    for (const folder of ['blobs', `blobs/${REF.slice(0, 2)}`, `blobs/${REF.slice(0, 2)}/${REF.slice(2, 4)}`]) {
      expect((await stat(join(home, folder))).mode & 0o777).toBe(0o700);
    }
  });

  it('stores the same text once, whoever and however many store it', async () => {
    const stores = Array.from({ length: 20 }, () => new FileBlobStore(join(home, 'blobs')));
    const put = await Promise.all(stores.map((each) => each.put(TEXT)));
    expect(new Set(put.map(({ ref }) => ref))).toEqual(new Set([REF]));
    const { ino } = await stat(pathOf(REF));
    await store.put(TEXT);
    expect((await stat(pathOf(REF))).ino).toBe(ino);
    expect(await filesOf()).toEqual([REF]);
    expect(await store.get(put[0]!)).toBe(TEXT);
  });

  it('says what is missing, and reads nothing by a name that is no hash', async () => {
    const missing = { code: 'BlobMissing', entry: { retryable: true } };
    await expect(store.get({ ref: REF, bytes: 1, sha256: REF })).rejects.toMatchObject(missing);
    await writeFile(join(home, 'secret'), 'of someone else');
    const ref = '../../../secret';
    await expect(store.get({ ref, bytes: 1, sha256: REF })).rejects.toMatchObject(missing);
  });

  it.each([
    ['altered', (text: string) => text.replace('1', '2')],
    ['torn', (text: string) => text.slice(0, 5)],
  ])('refuses a file that was %s, and is healed by the next put', async (_, damage) => {
    const put = await store.put(TEXT);
    await writeFile(pathOf(REF), damage(TEXT));
    await expect(store.get(put)).rejects.toMatchObject({ code: 'BlobCorrupt', entry: { retryable: false } });
    await expect(store.get(put)).rejects.toMatchObject({ code: 'BlobMissing' });
    await store.put(TEXT);
    expect(await store.get(put)).toBe(TEXT);
  });

  it('replaces a file of another size without being asked to read it', async () => {
    await store.put(TEXT);
    await writeFile(pathOf(REF), 'torn');
    expect(await store.get(await store.put(TEXT))).toBe(TEXT);
  });

  it('says that it cannot be used where its directory cannot be one', async () => {
    await writeFile(join(home, 'file'), '');
    const broken = new FileBlobStore(join(home, 'file'));
    await expect(broken.put(TEXT)).rejects.toMatchObject({ code: 'BlobStoreUnavailable', entry: { retryable: true } });
    await store.put(TEXT);
    await rm(pathOf(REF));
    await mkdir(pathOf(REF));
    await expect(store.get({ ref: REF, bytes: 1, sha256: REF })).rejects.toMatchObject({
      code: 'BlobStoreUnavailable',
    });
  });
});

describe('pruning', () => {
  it('removes what nobody touched for so long, drafts and damaged files too, and nothing else', async () => {
    const old = await store.put(TEXT);
    const young = await store.put('"young"');
    const draft = `${pathOf(old.ref)}.draft`;
    await writeFile(draft, 'half');
    for (const path of [pathOf(old.ref), draft]) await age(path, 31);
    await age(pathOf(young.ref), 29);
    expect(await store.prune(30)).toBe(2);
    expect(await filesOf()).toEqual([young.ref]);
    await expect(store.get(old)).rejects.toMatchObject({ code: 'BlobMissing' });
    expect(await store.prune(30)).toBe(0);
  });

  it('spares what was read or stored again', async () => {
    const read = await store.put(TEXT);
    const stored = await store.put('"stored"');
    for (const { ref } of [read, stored]) await age(pathOf(ref), 31);
    await store.get(read);
    await store.put('"stored"');
    expect(await ageOf(pathOf(read.ref))).toBeLessThan(DAY_MS);
    expect(await store.prune(30)).toBe(0);
  });

  it('has nothing to do where nothing was stored', async () => {
    expect(await store.prune(30)).toBe(0);
  });

  it('puts back what someone stored again while it was being removed', async () => {
    const { ref } = await store.put(TEXT);
    await age(pathOf(ref), 31);
    const { rename } = fs;
    const meanwhile = jest.spyOn(fs, 'rename').mockImplementationOnce(async (from, to) => {
      await store.put(TEXT);
      await rename(from, to);
    });
    expect(await store.prune(30)).toBe(0);
    expect(meanwhile).toHaveBeenCalled();
    expect(await filesOf()).toEqual([ref]);
  });

  it('may be done by several workers at once, while others store', async () => {
    const texts = Array.from({ length: 40 }, (_, at) => JSON.stringify(`value ${at}`));
    for (let round = 0; round < 5; round += 1) {
      const before = await Promise.all(texts.map((text) => store.put(text)));
      await Promise.all(before.map(({ ref }) => age(pathOf(ref), 31)));
      const prunings = [store.prune(30), new FileBlobStore(join(home, 'blobs')).prune(30)];
      const again = await Promise.all(texts.map((text) => store.put(text)));
      await Promise.all(prunings);
      for (const [at, ref] of again.entries()) expect(await readFile(pathOf(ref.ref), 'utf8')).toBe(texts[at]);
    }
  });
});
