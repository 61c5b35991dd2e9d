/** The shape of a graph where validation may never have been: enough of it that planning cannot go wrong half-way. */
import { isObject } from '../json';

type Check = (value: unknown) => boolean;
type Member = readonly [name: string, check: Check];

const isText: Check = (value) => typeof value === 'string';
const isTexts: Check = (value) => isObject(value) && Object.values(value).every(isText);
const isTextList: Check = (value) => Array.isArray(value) && value.every(isText);

/** Of members that need not be there. */
const NODE: readonly Member[] = [
  ['params', isObject],
  ['inputs', isTexts],
  ['after', isTextList],
  ['when', isText],
  ['while', isText],
  ['retry', isObject],
  ['rate_limit', isObject],
  ['body', isObject],
];
const GRAPH: readonly Member[] = [
  ['nodes', isObject],
  ['outputs', isTexts],
  ['defaults', isObject],
  ['variables', isObject],
  ['on_halt', isObject],
];

/** Throws `RangeError` naming the place of the first member that planning could not read. */
export function assertGraph(graph: unknown): void {
  assertMembers(graph, GRAPH, 'graph');
  const { on_halt } = graph as { on_halt?: { nodes?: unknown } };
  assertNodes((graph as { nodes?: unknown }).nodes, 'graph');
  if (on_halt !== undefined) assertNodes(on_halt.nodes, 'on_halt');
}

function assertNodes(nodes: unknown, place: string): void {
  if (!isObject(nodes)) throw unlike(`${place}.nodes`);
  for (const id of Object.keys(nodes)) assertNode(nodes[id], `${place}.nodes.${id}`);
}

function assertNode(node: unknown, place: string): void {
  assertMembers(node, NODE, place);
  const { type, body } = node as { type?: unknown; body?: { nodes?: unknown } };
  if (!isText(type)) throw unlike(`${place}.type`);
  if (body === undefined) return;
  assertMembers(body, GRAPH, `${place}.body`);
  assertNodes(body.nodes, `${place}.body`);
}

function assertMembers(value: unknown, members: readonly Member[], place: string): void {
  if (!isObject(value)) throw unlike(place);
  for (const [name, check] of members) {
    const member = value[name];
    if (member !== undefined && !check(member)) throw unlike(`${place}.${name}`);
  }
}

function unlike(place: string): RangeError {
  return new RangeError(`${place} is not what a graph has there`);
}
