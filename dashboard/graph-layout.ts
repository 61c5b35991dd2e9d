/** From a graph to boxes and lines. */
import type dagreLibrary from '@dagrejs/dagre';
import type { GraphNode, PageGraph } from './wire.js';

declare const dagre: typeof dagreLibrary;

export interface Edge {
  readonly from: string;
  readonly to: string;
  /** A branch, an outcome or an output. */
  readonly label: string;
  /** Control, not data. */
  readonly control: boolean;
}

export interface Box {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly lines: readonly (Edge & {
    readonly points: readonly { x: number; y: number }[];
    readonly at: { x: number; y: number };
  })[];
}

export const BOX = { width: 200, height: 52 } as const;
const WIDEST = 900;
const REFERENCE = /([A-Za-z][\w-]*)\.([\w-]+)/g;

export function edgesOf({ nodes }: PageGraph): Edge[] {
  const found = new Map<string, Edge>();
  for (const [to, node] of Object.entries(nodes)) {
    for (const edge of edgesInto(to, node)) {
      if (!Object.hasOwn(nodes, edge.from) || edge.from === to) continue;
      const key = `${edge.from} ${to}`;
      const known = found.get(key);
      const labels = new Set([...(known?.label.split(', ') ?? []), edge.label].filter(Boolean));
      found.set(key, { ...edge, label: [...labels].join(', '), control: edge.control || known?.control === true });
    }
  }
  return [...found.values()];
}

function edgesInto(to: string, { inputs = {}, after = [], when, params = {} }: GraphNode): Edge[] {
  const data = (from: string, label: string): Edge => ({ from, to, label, control: false });
  const controls = after.map((reference): Edge => {
    const [from = '', on = ''] = reference.split('.');
    return { from, to, label: on === 'success' ? '' : on, control: true };
  });
  const written = [when ?? '', ...Object.values(params).filter((value) => typeof value === 'string')];
  const mentioned = written.flatMap((text) => [...text.matchAll(REFERENCE)]);
  return [
    ...Object.values(inputs).map((reference) => data(reference.split('.')[0] ?? '', reference.split('.')[1] ?? '')),
    ...mentioned.map((match) => data(match[1] ?? '', match[2] ?? '')),
    ...controls,
  ];
}

/** Left to right; from the top where that would be a strip too long to read. */
export function layOut(graph: PageGraph): Layout {
  const lying = arrange(graph, 'LR');
  return lying.width > WIDEST && lying.width > 2 * lying.height ? arrange(graph, 'TB') : lying;
}

function arrange(graph: PageGraph, rankdir: 'LR' | 'TB'): Layout {
  const g = new dagre.graphlib.Graph();
  g.setGraph({ rankdir, nodesep: 24, ranksep: rankdir === 'LR' ? 62 : 38, marginx: 14, marginy: 14 });
  g.setDefaultEdgeLabel(() => ({}));
  for (const id of Object.keys(graph.nodes)) g.setNode(id, { ...BOX });
  const edges = edgesOf(graph);
  for (const { from, to, label } of edges) {
    g.setEdge(from, to, { width: label.length * 6.2, height: 14, labelpos: 'c' });
  }
  dagre.layout(g);
  const { width = 0, height = 0 } = g.graph() as { width?: number; height?: number };
  const boxes = Object.keys(graph.nodes).map((id) => ({ id, ...(g.node(id) as { x: number; y: number }) }));
  const lines = edges.map((edge) => {
    const { points, x, y } = g.edge(edge.from, edge.to) as { points: { x: number; y: number }[]; x: number; y: number };
    return { ...edge, points, at: { x, y } };
  });
  return { width, height, boxes, lines };
}
