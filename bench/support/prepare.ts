import { createHash } from 'node:crypto';
import { prepareGraph } from '../../src/graph/prepare';
import type { RunGraphInput } from '../../src/workflows/messages';
import { benchKinds } from './bench-kinds';
import type { Nodes } from './graphs';

/** Ready to start; `extra` stands beside the nodes. */
export function prepare(nodes: Nodes, extra: Readonly<Record<string, unknown>> = {}): RunGraphInput {
  const document = { holdfast: 1, id: 'bench', ...extra, nodes };
  return prepareGraph({ document }, benchKinds(), { mode: 'paper', sha256 }).prepared;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
