/**
 * What a node is given and gives, between an execution, which carries little, and the blob store, which keeps the rest.
 *
 * L1. A kind never sees a marker: fields are resolved before it runs, and a value it shares with another node is a copy.
 * L2. An execution is never handed more than `INLINE` bytes of outputs of one node: the largest are replaced first.
 * L3. Outputs that hold a key of Holdfast's own are escaped (see graph/blob.ts), so no kind can make a marker.
 */
import { LRUCache } from 'lru-cache';
import type { BlobStore } from '../blobs/blob-store';
import { HoldfastError } from '../errors';
import { blobsIn, escapeReserved, fillBlobs, holdsBlob, type BlobMarker, type BlobRef } from '../graph/blob';
import { itemAt } from '../graph/item-at';
import { MAX_VALUE_DEPTH } from '../graph/limits';
import { valueAt } from '../graph/references';
import { isDeeperThan } from '../json';

type Values = Readonly<Record<string, unknown>>;

/** Bytes of JSON. */
const KIB = 1024;
const MIB = 1024 * KIB;
/** Results of pure nodes are kept in the workflow task, and nobody waits for a disk there. */
const LARGEST_PURE = 16 * KIB;
const INLINE = 64 * KIB;
const LARGEST = 16 * MIB;
/** What one node may be given; more at once, a hundred times in parallel, would end the worker. */
const LARGEST_INPUT = 64 * MIB;
/** Parsed it takes three to five times as much memory. */
const CACHED = 32 * MIB;
/** A value used for long is read again now and then, or the store would take it for forgotten. */
const CACHED_FOR_MS = 3_600_000;
/** More than a marker takes. */
const MARKER = 256;

interface Stored {
  readonly value: unknown;
  readonly bytes: number;
}

/** A member of the outputs as JSON has it. */
interface Member {
  readonly name: string;
  readonly value: unknown;
  readonly json: string;
  readonly bytes: number;
}

export class LargeValues {
  readonly #store: BlobStore;
  readonly #cache: LRUCache<string, Stored, BlobRef>;

  constructor(store: BlobStore) {
    this.#store = store;
    this.#cache = new LRUCache<string, Stored, BlobRef>({
      maxSize: CACHED,
      ttl: CACHED_FOR_MS,
      sizeCalculation: ({ bytes }) => Math.max(1, bytes),
      fetchMethod: async (_key, _stale, { context }) => {
        const json = await this.#store.get(context);
        return { value: JSON.parse(json) as unknown, bytes: context.bytes };
      },
      // A value pushed out while it is being read still reaches those who wait for it.
      ignoreFetchAbort: true,
    });
  }

  /**
   * The fields as they were meant: markers read, templates filled in. Throws `InputTooLarge` and what the store throws.
   */
  async resolve(fields: Values): Promise<Values> {
    if (!holdsBlob(fields)) return fields;
    const refs = new Map(blobsIn(fields).map(({ $blob }) => [$blob.ref, $blob]));
    const bytes = [...refs.values()].reduce((sum, each) => sum + each.bytes, 0);
    if (bytes > LARGEST_INPUT) {
      const message = `The values given to the node take ${bytes} bytes; a node may read ${LARGEST_INPUT}.`;
      throw new HoldfastError('InputTooLarge', message, { bytes, limit: LARGEST_INPUT });
    }
    const contents = new Map<string, unknown>();
    const read = [...refs.values()].map(async (blob) => contents.set(blob.ref, await this.#read(blob)));
    await Promise.all(read);
    return fillBlobs(fields, copying(contents)) as Values;
  }

  /** The outputs as an execution carries them. Throws `OutputTooLarge` and what the store throws. */
  async store(outputs: Values): Promise<Values> {
    const json = JSON.stringify(outputs);
    const bytes = Buffer.byteLength(json);
    if (bytes <= INLINE) return carried(json);
    if (bytes > LARGEST) throw tooLarge(bytes, LARGEST);
    const members = membersOf(outputs);
    const large = largestOf(members, bytes);
    const markers = new Map(await Promise.all(large.map(async (member) => [member, await this.#put(member)] as const)));
    const texts = members.map(
      (member) => `${JSON.stringify(member.name)}:${markers.has(member) ? 'null' : member.json}`,
    );
    const kept = Object.entries(carried(`{${texts.join(',')}}`));
    // A key may be escaped by now; the order is the same.
    const all = members.map((member, at) => [itemAt(kept, at)[0], markers.get(member) ?? itemAt(kept, at)[1]] as const);
    return Object.fromEntries(all);
  }

  async #read(ref: BlobRef): Promise<unknown> {
    const stored = await this.#cache.fetch(ref.ref, { context: ref });
    return stored?.value;
  }

  async #put({ value, json }: Member): Promise<BlobMarker> {
    const ref = await this.#store.put(json);
    return { $blob: Array.isArray(value) ? { ...ref, length: value.length } : ref };
  }
}

/** The outputs of a pure node. Throws `OutputTooLarge`. */
export function pureOutputs(outputs: Values): Values {
  const json = JSON.stringify(outputs);
  const bytes = Buffer.byteLength(json);
  if (bytes > LARGEST_PURE) throw tooLarge(bytes, LARGEST_PURE);
  return carried(json);
}

/** One copy for each part of a value, however often a node is given it. */
function copying(contents: ReadonlyMap<string, unknown>): (marker: BlobMarker) => unknown {
  const copies = new Map<string, unknown>();
  return ({ $blob, path = [] }) => {
    const key = [$blob.ref, ...path].join('.');
    if (!copies.has(key)) copies.set(key, structuredClone(valueAt(contents.get($blob.ref), path)));
    return copies.get(key);
  };
}

function carried(json: string): Values {
  const outputs = JSON.parse(json) as Values;
  if (!isDeeperThan(outputs, MAX_VALUE_DEPTH)) return escapeReserved(outputs) as Values;
  throw new HoldfastError('OutputTooLarge', `The outputs are nested deeper than ${MAX_VALUE_DEPTH} levels.`);
}

function membersOf(outputs: Values): Member[] {
  return Object.entries(outputs).flatMap(([name, value]) => {
    // Undefined for what JSON leaves out.
    const json = JSON.stringify(value) as string | undefined;
    return json === undefined ? [] : [{ name, value, json, bytes: Buffer.byteLength(json) }];
  });
}

/** The fewest of the largest members without which the rest fits. */
function largestOf(members: readonly Member[], bytes: number): Member[] {
  const large: Member[] = [];
  let left = bytes;
  for (const member of members.toSorted((a, b) => b.bytes - a.bytes)) {
    if (left <= INLINE || member.bytes <= MARKER) break;
    large.push(member);
    left += MARKER - member.bytes;
  }
  if (left > INLINE)
    throw new HoldfastError('OutputTooLarge', `The node gave ${members.length} outputs, too many to keep.`);
  return large;
}

function tooLarge(bytes: number, limit: number): HoldfastError {
  const message = `The node gave ${bytes} bytes of output; it may give ${limit}.`;
  return new HoldfastError('OutputTooLarge', message, { bytes, limit });
}
