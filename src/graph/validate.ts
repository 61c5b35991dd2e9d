/** Validation: every mistake of a graph at once, before anything runs. */
import { type Members } from '../json';
import { readGraph, type GraphReading } from './body-reading';
import type { KindCatalogue } from './kinds';
import { MAX_NODES } from './limits';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { membersOf, objectOf } from './node-reading';
import { createSuggest, type Suggest } from './suggest';
import type { Graph } from './schema';
import { checkBodies, checkDefaults, declaredInputs } from './validate-bodies';
import { checkFields } from './validate-fields';
import { checkPlain } from './validate-plain';
import { checkPolicy, checkTimes } from './validate-policy';
import { checkWire } from './validate-references';
import { checkIds, checkShape } from './validate-shape';
import { checkStructure } from './validate-structure';
import { checkTriggerInputs, checkTriggers } from './validate-triggers';
import { wiresOf } from './wires';
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
  const reading = readGraph(document, catalogue);
  if (reading.count > MAX_NODES) return { mistakes: [tooMany(reading.count)] };
  const suggest = createSuggest();
  const shape = checkShape(document, suggest);
  const top = objectOf(document);
  const found: Mistake[] = [...plain.mistakes, ...shape.mistakes];
  checkHead(top, shape.graph, suggest, found);
  checkNodes(reading, top, { catalogue, suggest }, found);
  return shape.graph && found.length === 0 ? { graph: shape.graph, mistakes: found } : { mistakes: found };
}

/** What stands above the nodes. */
function checkHead(top: Members, graph: Graph | undefined, suggest: Suggest, found: Mistake[]): void {
  checkDefaults(top, found);
  checkTimes(objectOf(top['defaults']), '/defaults', found);
  found.push(...checkTriggers(membersOf(top['triggers']), suggest));
  if (graph !== undefined) found.push(...checkTriggerInputs(graph));
}

interface World {
  readonly catalogue: KindCatalogue;
  readonly suggest: Suggest;
}

function checkNodes(reading: GraphReading, top: Members, { catalogue, suggest }: World, found: Mistake[]): void {
  const { bodies } = reading;
  const variables = new Set(Object.keys(objectOf(top['variables'])));
  const names = { bodies, inputs: declaredInputs(top), suggest };
  checkBodies(reading, found);
  for (const { nodes } of bodies) {
    for (const node of nodes.values()) {
      checkIds(node, found);
      checkFields(node, { catalogue, variables, suggest }, found);
      checkPolicy(node, found);
    }
  }
  const wired = bodies.map((body) => ({ body, wires: wiresOf(body) }));
  for (const { body, wires } of wired) for (const wire of wires) checkWire(wire, body, names, found);
  for (const vertices of wireUp(wired, catalogue)) checkStructure(vertices, found);
}

function tooMany(count: number): Mistake {
  const message = `The graph has ${count} nodes, those of all bodies counted; ${MAX_NODES} are the most.`;
  return mistake('too_many_nodes', '/nodes', message);
}
