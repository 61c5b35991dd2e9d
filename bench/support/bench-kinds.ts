import { resolve } from 'node:path';
import { createKinds, type NodeKinds } from '../../src/activities/kinds';
import { withOwnKinds } from '../../src/activities/load-kinds';

/** From the root of the repository, where benchmarks are run. */
export const KINDS_MODULE = resolve('bench/support/node-kinds.cjs');

let all: NodeKinds | undefined;

/** Holdfast's own kinds and those of the benchmarks. */
export function benchKinds(): NodeKinds {
  all ??= withOwnKinds(createKinds({ venues: new Map() }), [KINDS_MODULE]);
  return all;
}
