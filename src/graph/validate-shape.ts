/** Validation, second phase: what the schema says, in sentences. */
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { toPointer } from './pointer';
import { valueAt } from './references';
import { graphKeys, graphSchema, idSchema, nodeKeys, retryKeys, triggerKeys } from './schema';
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
  const parsed = graphSchema.safeParse(document);
  const ids = badNodeIds(document);
  if (parsed.success) return { graph: parsed.data, mistakes: ids };
  const mistakes = parsed.error.issues.flatMap((issue) => mistakesOf(issue, document, suggest));
  return { mistakes: [...mistakes, ...ids] };
}

/** Not in the schema: there a bad id would hide the mistakes of its node. */
function badNodeIds(document: unknown): Mistake[] {
  const nodes = valueAt(document, ['nodes']);
  if (typeof nodes !== 'object' || nodes === null || Array.isArray(nodes)) return [];
  return Object.keys(nodes).flatMap((id) => {
    const why = idSchema.safeParse(id).error?.issues[0];
    return why === undefined
      ? []
      : [mistake('bad_id', toPointer('nodes', id), `The node id \`${id}\` ${predicate(why)}.`)];
  });
}

function mistakesOf(issue: Issue, document: unknown, suggest: Suggest): Mistake[] {
  const steps = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(steps, key, suggest));
  if (issue.code === 'invalid_key') return issue.issues.map((inner) => badId(steps, predicate(inner)));
  const value = valueAt(document, steps);
  const name = steps.at(-1);
  const subject = name === undefined ? 'The graph' : `\`${name}\``;
  if (value === undefined) return [mistake('shape', toPointer(...steps), `${subject} is missing.`)];
  if (ID_KEYS.has(toPointer(...steps)) && typeof value === 'string') return [badId(steps, predicate(issue))];
  return [mistake('shape', toPointer(...steps), `${subject} ${predicate(issue)}.`)];
}

const ID_KEYS: ReadonlySet<string> = new Set(['/id', '/bot_id', '/strategy_id', '/desk']);

function badId(steps: readonly string[], why: string): Mistake {
  return mistake('bad_id', toPointer(...steps), `The id at \`${steps.join('.')}\` ${why}.`);
}

function unknownKey(steps: readonly string[], key: string, suggest: Suggest): Mistake {
  const [room, , part] = steps;
  const owner =
    room === undefined ? 'A graph' : room === 'triggers' ? 'A trigger' : part === undefined ? 'A node' : '`retry`';
  const known =
    room === undefined ? graphKeys : room === 'triggers' ? triggerKeys : part === undefined ? nodeKeys : retryKeys;
  return mistake('unknown_key', toPointer(...steps, key), `${owner} has no key \`${key}\`.`, suggest(key, known));
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  record: 'an object',
  object: 'an object',
};

/** What is wrong, to stand after the name of the key. Messages the schema gives itself are such predicates already. */
function predicate(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${NAMES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'too_small':
      return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `is longer than ${issue.maximum} characters`
        : `must be at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}
