/** Where large values are kept: texts of JSON under names made of their content, so that a value stored twice is stored once. */
import type { BlobRef } from '../graph/blob';

export interface BlobStore {
  /** Durable when it resolves. Throws `BlobStoreUnavailable`. */
  put(json: string): Promise<BlobRef>;
  /** The text, checked against its hash. Throws `BlobMissing`, `BlobCorrupt` or `BlobStoreUnavailable`. */
  get(ref: BlobRef): Promise<string>;
}
