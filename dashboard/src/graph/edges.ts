/** Who is before whom in a graph, read from its document. */
import type { GraphNode, PageGraph } from '../wire';

export interface Edge {
  readonly from: string;
  readonly to: string;
  /** A branch, an outcome or an output. */
  readonly label: string;
  /** Control, not data. */
  readonly control: boolean;
}

const REFERENCE = /([A-Za-z][\w-]*)\.([\w-]+)/g;

/** One per pair of nodes: several outputs of one node that go to the same other share their line. */
export function edgesOf({ nodes }: Pick<PageGraph, 'nodes'>): readonly Edge[] {
  const found = new Map<string, Edge>();
  for (const [to, node] of Object.entries(nodes)) {
    for (const edge of edgesInto(to, node)) {
      if (!Object.hasOwn(nodes, edge.from) || edge.from === to) continue;
      const key = `${edge.from} ${to}`;
      found.set(key, joined(found.get(key), edge));
    }
  }
  return [...found.values()];
}

function joined(known: Edge | undefined, edge: Edge): Edge {
  if (known === undefined) return edge;
  const labels = new Set([...known.label.split(', '), edge.label].filter((label) => label !== ''));
  return { ...edge, label: [...labels].join(', '), control: edge.control && known.control };
}

function edgesInto(to: string, node: GraphNode): readonly Edge[] {
  const data = (from: string, label: string): Edge => ({ from, to, label, control: false });
  const { inputs = {}, after = [], when, params = {}, body } = node;
  const controls = after.map((reference): Edge => {
    const [from = '', on = ''] = reference.split('.');
    return { from, to, label: on === 'success' ? '' : on, control: true };
  });
  const written = [when ?? '', ...Object.values(params).filter((value) => typeof value === 'string')];
  const mentioned = written.flatMap((text) => [...text.matchAll(REFERENCE)]);
  // What a body reads of the graph around it, the node that holds the body waits for.
  const inside = Object.values(body?.nodes ?? {}).flatMap((each) => edgesInto(to, each));
  return [
    ...Object.values(inputs).map((reference) => data(reference.split('.')[0] ?? '', reference.split('.')[1] ?? '')),
    ...mentioned.map((match) => data(match[1] ?? '', match[2] ?? '')),
    ...controls,
    ...inside,
  ];
}
