/** The execution a `subgraph` node with a body becomes. */
import type { PlannedNode } from '../graph/plan';
import type { Graph } from '../graph/schema';
import { present } from '../json';
import type { RunGraphInput } from '../workflows/messages';
import { mistaken } from './fakes';

export interface Started {
  readonly input: RunGraphInput;
  readonly execution_id: string;
}

export interface SubgraphNode {
  readonly node: PlannedNode;
  readonly key: string;
  /** Its key within its own execution. */
  readonly place: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Until when these may be acted on after a halt. */
  readonly until: number | undefined;
}

/** Throws `TestInvalid` for one that names a deployed graph. */
export function childOf({ input, execution_id }: Started, subgraph: SubgraphNode): Started {
  const { node, key, place, fields, until } = subgraph;
  const { workflow, ...inputs } = fields;
  if (node.child === undefined) {
    throw mistaken(`\`${key}\` runs the deployed graph ${String(workflow)}, which no test knows; fake the node`);
  }
  const { id, defaults, variables } = input.graph;
  const { nodes, outputs } = node.child;
  const { inputs_until: _, ...withoutAge } = input;
  const graph: Graph = { holdfast: 1, id, nodes, ...present({ defaults, variables, outputs }) };
  return {
    input: { ...withoutAge, graph, inputs, ...present({ inputs_until: until }) },
    execution_id: `${execution_id}.${place.replace(/[^A-Za-z0-9_-]+/g, '.')}`,
  };
}
