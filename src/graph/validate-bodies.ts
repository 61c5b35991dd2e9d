/** Validation of what stands around the nodes: bodies, outputs, declared inputs, what runs at a halt. */
import { type Members, isObject } from '../json';
import type { BodyReading, GraphReading } from './body-reading';
import { isOfType, TYPE_WORDS } from './inputs';
import type { KindDeclaration } from './kinds';
import { MAX_BODY_DEPTH } from './limits';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { NODE_ID } from './names';
import { objectOf, own } from './node-reading';
import type { NodeReading } from './node-reading';
import { toPointer } from './pointer';
import { VALUE_TYPES } from './value-types';
import type { ValueType } from './value-types';

export function checkBodies({ bodies, too_deep }: GraphReading, found: Mistake[]): void {
  for (const pointer of too_deep) {
    found.push(mistake('too_deep', pointer, `Bodies can be nested ${MAX_BODY_DEPTH} deep.`));
  }
  for (const body of bodies) {
    for (const node of body.nodes.values()) {
      if (body.kind === 'on_halt') checkOnHalt(node, found);
      checkBody(node, found);
    }
    if (body.kind === 'on_halt' && body.nodes.size === 0) {
      found.push(mistake('bad_on_halt', body.pointer, '`on_halt` has no nodes; leave it out.'));
    }
    checkOutputNames(body, found);
  }
}

function checkBody({ kind, raw, pointer, params, inputs }: NodeReading, found: Mistake[]): void {
  if (kind === undefined) return;
  const instead = kind.body?.instead_of;
  const named = instead !== undefined && (Object.hasOwn(params, instead) || Object.hasOwn(inputs, instead));
  const place = `${pointer}/body`;
  if (raw['body'] === undefined) checkNoBody(kind, pointer, named, found);
  else if (kind.body === undefined) {
    found.push(mistake('unexpected_body', place, `The kind ${kind.type} takes no body.`));
  } else if (named) {
    found.push(mistake('unexpected_body', place, `\`${instead}\` names a graph already; keep one of them.`));
  } else if (isEmpty(raw['body'])) {
    found.push(mistake('missing_body', place, 'The body has no nodes.'));
  }
}

function checkNoBody({ type, body }: KindDeclaration, pointer: string, named: boolean, found: Mistake[]): void {
  if (body === undefined || named) return;
  const needs = body.instead_of === undefined ? 'a `body`' : `\`${body.instead_of}\` or a \`body\``;
  found.push(mistake('missing_body', pointer, `The kind ${type} needs ${needs}.`));
}

function isEmpty(body: unknown): boolean {
  const nodes = objectOf(body)['nodes'];
  return isObject(nodes) && Object.keys(nodes).length === 0;
}

/**
 * At a halt something is to be told or taken back, at once: nothing that asks people, loops or starts other executions. Of the kinds that
 * trade only those that can do nothing but reduce: of an order of another one nobody knows that before it runs, and the desk would refuse it
 * then.
 */
function checkOnHalt({ kind, type, pointer, raw }: NodeReading, found: Mistake[]): void {
  if (raw['max_age'] !== undefined) {
    const message = '`max_age` means nothing here: what runs at a halt is not judged at the resume.';
    found.push(mistake('bad_policy', `${pointer}/max_age`, message));
  }
  if (kind?.effect === 'trade' && kind.reduces !== true) {
    const why = `A node of kind ${kind.type} may buy, and at a halt orders only reduce; \`close_position\` does.`;
    found.push(mistake('bad_on_halt', `${pointer}/type`, why));
  }
  if (kind?.effect !== 'control' || type === 'wait') return;
  const message = `A node of kind ${kind.type} cannot run at a halt; of the control kinds \`wait\` alone can.`;
  found.push(mistake('bad_on_halt', `${pointer}/type`, message));
}

/** Names that can stand in a reference, and that the kind does not give itself. */
function checkOutputNames({ outputs, pointer, owner }: BodyReading, found: Mistake[]): void {
  for (const name of Object.keys(outputs)) {
    const place = pointer + toPointer('outputs', name);
    if (!NODE_ID.test(name)) {
      found.push(mistake('bad_output', place, `The name \`${name}\` must match [A-Za-z][A-Za-z0-9_-]*.`));
    } else if (owner?.kind?.open_outputs === true && Object.hasOwn(owner.kind.outputs, name)) {
      found.push(mistake('bad_output', place, `\`${name}\` is an output every ${owner.kind.type} has.`));
    }
  }
}

/** The start inputs a graph declares, with their types; `any` where the type is malformed. */
export function declaredInputs(graph: Members): ReadonlyMap<string, ValueType> {
  const declared = Object.entries(objectOf(graph['inputs']));
  return new Map(declared.map(([name, input]) => [name, typeNamed(objectOf(input)['type']) ?? 'any']));
}

function typeNamed(text: unknown): ValueType | undefined {
  return VALUE_TYPES.find((type) => type === text);
}

/** Defaults are values of the declared type. */
export function checkDefaults(graph: Members, found: Mistake[]): void {
  for (const [name, input] of Object.entries(objectOf(graph['inputs']))) {
    const value = own(objectOf(input), 'default');
    const type = typeNamed(objectOf(input)['type']);
    if (value === undefined || type === undefined || isOfType(type, value)) continue;
    const asText = type === 'decimal' && typeof value === 'number' ? JSON.stringify(String(value)) : undefined;
    const message = `The default of \`${name}\` must be ${TYPE_WORDS[type]}.`;
    found.push(mistake('bad_default', toPointer('inputs', name, 'default'), message, asText));
  }
}
