/** Validation, fifth phase: cycles, joins and nodes that can never start. */
import { componentsOf } from './components';
import { itemAt } from './item-at';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { findUnreachable } from './reachability';
import type { Vertex } from './wiring';

const NAMED_IN_A_CYCLE = 20;

export function checkStructure(vertices: readonly Vertex[], found: Mistake[]): void {
  const sourcesOf = (vertex: number) => itemAt(vertices, vertex).edges.map(({ from }) => from);
  const components = componentsOf(vertices.length, sourcesOf);
  const waitsForItself = (vertex: number) => itemAt(vertices, vertex).edges.some(({ from }) => from === vertex);
  const cycles = components.filter((each) => each.length > 1 || waitsForItself(itemAt(each, 0)));
  for (const vertex of vertices) checkJoin(vertex, found);
  for (const component of cycles) found.push(cycleMistake(vertices, component, sourcesOf));
  for (const each of findUnreachable(vertices, components, new Set(cycles))) {
    found.push(unreachableMistake(vertices, each));
  }
}

function checkJoin({ join, countable, pointer }: Vertex, found: Mistake[]): void {
  if (typeof join !== 'number' || join <= countable) return;
  const has = countable === 0 ? 'none' : countable === 1 ? 'only 1' : `only ${countable}`;
  const message = `\`join\` asks for ${join} of the edges it counts, but the node has ${has}.`;
  found.push(mistake('join_too_large', `${pointer}/join`, message));
}

/** One cycle per component: with it broken, the next validation shows the next one, if any. */
function cycleMistake(
  vertices: readonly Vertex[],
  component: readonly number[],
  sourcesOf: (vertex: number) => number[],
): Mistake {
  const start = component.reduce((first, each) => Math.min(first, each));
  const owners = shortestCycle(start, new Set(component), sourcesOf).map((each) => itemAt(vertices, each).owner);
  const named = owners.filter((owner, at) => at === 0 || owner !== owners[at - 1]);
  const ring = named.length === 1 ? [...named, ...named] : named;
  const shown =
    ring.length > NAMED_IN_A_CYCLE ? [...ring.slice(0, NAMED_IN_A_CYCLE), `… (${ring.length - 1} nodes)`] : ring;
  return mistake('cycle', itemAt(vertices, start).pointer, `These nodes wait for each other: ${shown.join(' → ')}.`);
}

/** From the start back to it, in the order the nodes would run, breadth first. */
function shortestCycle(start: number, inside: ReadonlySet<number>, sourcesOf: (vertex: number) => number[]): number[] {
  const waiter = new Map<number, number>();
  const queue = [start];
  for (const vertex of queue) {
    for (const source of sourcesOf(vertex)) {
      if (!inside.has(source) || waiter.has(source)) continue;
      waiter.set(source, vertex);
      queue.push(source);
    }
    if (waiter.has(start)) break;
  }
  const ring = [start];
  for (let at = waiter.get(start); at !== undefined; at = at === start ? undefined : waiter.get(at)) ring.push(at);
  return ring;
}

function unreachableMistake(vertices: readonly Vertex[], { vertex, torn }: { vertex: number; torn: number }): Mistake {
  const { owner, pointer } = itemAt(vertices, vertex);
  const source = itemAt(vertices, torn).owner;
  const message = `\`${owner}\` can never start: it needs \`${source}\` to end in ways that exclude each other.`;
  return mistake('unreachable_node', pointer, message);
}
