/** Validation, second phase: what the schema says, in sentences. */
import { isObject } from '../json';
import { wordsOf } from './issue-words';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { NODE_ID, RESERVED_IDS } from './names';
import type { NodeReading } from './node-reading';
import { isPlainNode } from './plain-node';
import { toPointer } from './pointer';
import { valueAt } from './references';
import {
  bodyKeys,
  defaultsKeys,
  graphKeys,
  graphSchema,
  idSchema,
  inputKeys,
  nodeKeys,
  rateLimitKeys,
  retryKeys,
  triggerKeys,
} from './schema';
import type { Graph } from './schema';
import type { Suggest } from './suggest';

type Failure = NonNullable<ReturnType<typeof graphSchema.safeParse>['error']>;
type Issue = Failure['issues'][number];

export interface ShapeVerdict {
  /** The document with its type, when its shape is right. */
  readonly graph?: Graph;
  readonly mistakes: readonly Mistake[];
}

export function checkShape(document: unknown, suggest: Suggest): ShapeVerdict {
  const parsed = graphSchema.safeParse(withoutPlainNodes(document));
  if (parsed.success) return { graph: document as Graph, mistakes: [] };
  return { mistakes: parsed.error.issues.flatMap((issue) => mistakesOf(issue, document, suggest)) };
}

/** The schema takes 30 ms for 10,000 nodes, nearly all of which a look at their keys shows to be fine. */
function withoutPlainNodes(document: unknown): unknown {
  if (!isObject(document) || !isObject(document['nodes'])) return document;
  const { nodes } = document;
  const others = Object.keys(nodes).filter((id) => !isPlainNode(nodes[id]));
  return { ...document, nodes: Object.fromEntries(others.map((id) => [id, nodes[id]])) };
}

/** Not in the schema: there a bad id would hide the mistakes of its node. */
export function checkIds({ id, pointer }: NodeReading, found: Mistake[]): void {
  if (NODE_ID.test(id) && id.length < MAX_PLAIN_ID && !RESERVED_IDS.has(id)) return;
  const why = idSchema.safeParse(id).error?.issues[0];
  if (why !== undefined) found.push(mistake('bad_id', pointer, `The node id \`${id}\` ${wordsOf(why)}.`));
}

/** Below this nothing but the pattern and the reserved words can be wrong with an id. */
const MAX_PLAIN_ID = 100;

function mistakesOf(issue: Issue, document: unknown, suggest: Suggest): Mistake[] {
  const steps = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(steps, key, suggest));
  if (issue.code === 'invalid_key') return issue.issues.map((inner) => badId(steps, wordsOf(inner)));
  const value = valueAt(document, steps);
  const name = steps.at(-1);
  const subject = name === undefined ? 'The graph' : `\`${name}\``;
  if (value === undefined) return [mistake('shape', toPointer(...steps), `${subject} is missing.`)];
  if (ID_KEYS.has(toPointer(...steps)) && typeof value === 'string') return [badId(steps, wordsOf(issue))];
  return [mistake('shape', toPointer(...steps), `${subject} ${wordsOf(issue)}.`, nearWord(issue, value, suggest))];
}

function nearWord(issue: Issue, value: unknown, suggest: Suggest): string | undefined {
  return issue.code === 'invalid_value' && typeof value === 'string'
    ? suggest(value, issue.values.map(String))
    : undefined;
}

const ID_KEYS: ReadonlySet<string> = new Set(['/id', '/bot_id', '/strategy_id', '/desk']);

function badId(steps: readonly string[], why: string): Mistake {
  return mistake('bad_id', toPointer(...steps), `The id at \`${steps.join('.')}\` ${why}.`);
}

function unknownKey(steps: readonly string[], key: string, suggest: Suggest): Mistake {
  const [owner, known] = objectAt(steps);
  return mistake('unknown_key', toPointer(...steps, key), `${owner} has no key \`${key}\`.`, suggest(key, known));
}

type Described = readonly [owner: string, keys: readonly string[]];

const ROOMS: Readonly<Record<string, Described>> = {
  triggers: ['A trigger', triggerKeys],
  inputs: ['An input', inputKeys],
};
const PARTS: Readonly<Record<string, Described>> = {
  retry: ['`retry`', retryKeys],
  rate_limit: ['`rate_limit`', rateLimitKeys],
  body: ['A body', bodyKeys],
};

/** What stands at a path that leads to an object of the language, and the keys it has. */
function objectAt(steps: readonly string[]): Described {
  const [room = '', inside = ''] = steps;
  if (room === 'nodes') return nodeAt(steps.slice(2));
  if (room === 'on_halt') return inside === '' ? ['`on_halt`', ['nodes']] : objectAt(steps.slice(1));
  if (room === 'defaults') return PARTS[inside] ?? ['`defaults`', defaultsKeys];
  return ROOMS[room] ?? ['A graph', graphKeys];
}

/** The steps are those below the node. */
function nodeAt([part = '', ...rest]: readonly string[]): Described {
  if (part === 'body' && rest.length > 0) return objectAt(rest);
  return PARTS[part] ?? ['A node', nodeKeys];
}
