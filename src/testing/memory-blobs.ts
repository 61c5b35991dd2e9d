/** Large values, kept as a worker keeps them, but in memory. */
import { createHash } from 'node:crypto';
import type { BlobStore } from '../blobs/blob-store';
import { HoldfastError } from '../errors';
import { fillBlobs, type BlobRef } from '../graph/blob';
import { valueAt } from '../graph/references';

export class MemoryBlobs implements BlobStore {
  readonly #texts = new Map<string, string>();

  put(json: string): Promise<BlobRef> {
    const sha256 = createHash('sha256').update(json).digest('hex');
    this.#texts.set(sha256, json);
    return Promise.resolve({ ref: sha256, bytes: Buffer.byteLength(json), sha256 });
  }

  get({ ref }: BlobRef): Promise<string> {
    const text = this.#texts.get(ref);
    if (text !== undefined) return Promise.resolve(text);
    return Promise.reject(new HoldfastError('BlobMissing', `There is no value ${ref}.`, { ref }));
  }

  /** A value of an execution as its author means it. */
  read(value: unknown): unknown {
    return fillBlobs(value, ({ $blob, path = [] }) =>
      valueAt(JSON.parse(this.#texts.get($blob.ref) ?? 'null') as unknown, path),
    );
  }
}
