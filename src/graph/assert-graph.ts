/** The shape of a graph where validation may never have been: enough of it that planning cannot go wrong half-way. */
import { isObject } from '../json';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isTexts: Check = (value) => isObject(value) && Object.values(value).every(isText);
const isTextList: Check = (value) => Array.isArray(value) && value.every(isText);

/** Of members that need not be there. */
const NODE: ReadonlyMap<string, Check> = new Map([
  ['params', isObject],
  ['inputs', isTexts],
  ['after', isTextList],
  ['when', isText],
  ['while', isText],
  ['retry', isObject],
  ['rate_limit', isObject],
  ['body', isObject],
]);
const GRAPH: ReadonlyMap<string, Check> = new Map([
  ['nodes', isObject],
  ['outputs', isTexts],
  ['defaults', isObject],
  ['variables', isObject],
  ['on_halt', isObject],
]);

/** Throws `RangeError` naming the place of the first member that planning could not read. */
export function assertGraph(graph: unknown): void {
  const { on_halt } = isObject(graph) ? graph : {};
  refuse('graph', wrongWithBody(graph));
  if (on_halt !== undefined) refuse('on_halt', wrongWithBody(on_halt));
}

function refuse(root: string, wrong: string | undefined): void {
  if (wrong !== undefined) throw new RangeError(`${root}${wrong} is not what a graph has there`);
}

/** These give the place below what they look at, which is empty where that itself is wrong; undefined where nothing is. */
function wrongWithBody(body: unknown): string | undefined {
  const wrong = wrongMember(body, GRAPH);
  if (wrong !== undefined) return wrong;
  const { nodes } = body as { nodes?: unknown };
  if (!isObject(nodes)) return '.nodes';
  for (const id of Object.keys(nodes)) {
    const inside = wrongWithNode(nodes[id]);
    if (inside !== undefined) return `.nodes.${id}${inside}`;
  }
  return undefined;
}

function wrongWithNode(node: unknown): string | undefined {
  const wrong = wrongMember(node, NODE);
  if (wrong !== undefined) return wrong;
  const { type, body } = node as { type?: unknown; body?: unknown };
  if (!isText(type)) return '.type';
  const inside = body === undefined ? undefined : wrongWithBody(body);
  return inside === undefined ? undefined : `.body${inside}`;
}

function wrongMember(value: unknown, checks: ReadonlyMap<string, Check>): string | undefined {
  if (!isObject(value)) return '';
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (member !== undefined && checks.get(name)?.(member) === false) return `.${name}`;
  }
  return undefined;
}
