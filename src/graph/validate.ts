/** Validation: every mistake of a graph at once, before anything runs. */
import type { KindCatalogue } from './kinds';
import { MAX_NODES } from './limits';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { membersOf, readNode, wiresOf } from './node-reading';
import { createSuggest } from './suggest';
import type { Graph } from './schema';
import { checkFields } from './validate-fields';
import { checkPlain } from './validate-plain';
import { checkWire } from './validate-references';
import { checkShape } from './validate-shape';
import { checkStructure } from './validate-structure';
import { checkTriggers } from './validate-triggers';
import { wireUp } from './wiring';

export interface Verdict {
  /** Present exactly when there is no mistake. */
  readonly graph?: Graph;
  readonly mistakes: readonly Mistake[];
}

/**
 * Checks any value against the language and the kinds. Never throws. Whatever is well-formed is checked to the end: a mistake
 * in one node hides none in another. Only a graph beyond the limits is not looked into.
 */
export function validateGraph(document: unknown, catalogue: KindCatalogue): Verdict {
  const plain = checkPlain(document);
  if (plain.unbounded) return { mistakes: plain.mistakes };
  const top = membersOf(document);
  const nodes = membersOf(top.get('nodes'));
  if (nodes.size > MAX_NODES) return { mistakes: [tooMany(nodes.size)] };
  const suggest = createSuggest();
  const shape = checkShape(document, suggest);
  const readings = [...nodes].map(([id, raw]) => readNode(id, raw, catalogue));
  const wires = readings.flatMap(wiresOf);
  const names = { nodes: new Map(readings.map((node) => [node.id, node])), suggest };
  const mistakes = [
    ...plain.mistakes,
    ...shape.mistakes,
    ...checkTriggers(membersOf(top.get('triggers'))),
    ...readings.flatMap((node) => checkFields(node, catalogue, suggest)),
    ...wires.flatMap((wire) => checkWire(wire, names)),
    ...checkStructure(wireUp(readings, wires, catalogue)),
  ];
  return shape.graph && mistakes.length === 0 ? { graph: shape.graph, mistakes } : { mistakes };
}

function tooMany(count: number): Mistake {
  return mistake('too_many_nodes', '/nodes', `The graph has ${count} nodes; ${MAX_NODES} are the most.`);
}
