/** The shape of a graph where validation may never have been: enough of it that planning cannot go wrong half-way. */
import { isObject } from '../json';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isTexts: Check = (value) => isObject(value) && Object.values(value).every(isText);
const isTextList: Check = (value) => Array.isArray(value) && value.every(isText);

/** Of members that need not be there. */
const NODE: Readonly<Record<string, Check>> = {
  params: isObject,
  inputs: isTexts,
  after: isTextList,
  when: isText,
  while: isText,
  retry: isObject,
  rate_limit: isObject,
  body: isObject,
};
const GRAPH: Readonly<Record<string, Check>> = {
  nodes: isObject,
  outputs: isTexts,
  defaults: isObject,
  variables: isObject,
  on_halt: isObject,
};

/** Throws `RangeError` naming the place of the first member that planning could not read. */
export function assertGraph(graph: unknown): void {
  assertMembers(graph, GRAPH, 'graph');
  const { on_halt } = graph as { on_halt?: { nodes?: unknown } };
  assertNodes((graph as { nodes?: unknown }).nodes, 'graph');
  if (on_halt !== undefined) assertNodes(on_halt.nodes, 'on_halt');
}

function assertNodes(nodes: unknown, place: string): void {
  assertIs(isObject, nodes, `${place}.nodes`);
  for (const [id, node] of Object.entries(nodes as object)) {
    const at = `${place}.nodes.${id}`;
    assertMembers(node, NODE, at);
    const { type, body } = node as { type?: unknown; body?: { nodes?: unknown; outputs?: unknown } };
    assertIs(isText, type, `${at}.type`);
    if (body === undefined) continue;
    assertMembers(body, GRAPH, `${at}.body`);
    assertNodes(body.nodes, `${at}.body`);
  }
}

function assertMembers(value: unknown, checks: Readonly<Record<string, Check>>, place: string): void {
  assertIs(isObject, value, place);
  for (const [name, check] of Object.entries(checks)) {
    const member = (value as Readonly<Record<string, unknown>>)[name];
    if (member !== undefined) assertIs(check, member, `${place}.${name}`);
  }
}

function assertIs(check: Check, value: unknown, place: string): void {
  if (!check(value)) throw new RangeError(`${place} is not what a graph has there`);
}
