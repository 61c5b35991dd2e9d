/** Validation, third phase, per node: does its kind exist, and are its fields what the kind asks for? */
import type { FieldDeclaration, KindCatalogue, KindDeclaration } from './kinds';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { NODE_ID } from './names';
import { GUARD_FIELD, GUARD_KIND, own } from './node-reading';
import type { NodeReading } from './node-reading';
import { toPointer } from './pointer';
import type { Suggest } from './suggest';

export interface FieldNames {
  readonly catalogue: KindCatalogue;
  /** The variables the graph declares. */
  readonly variables: ReadonlySet<string>;
  readonly suggest: Suggest;
}

/** Adds what is wrong with the fields of a node, and with the formulas of its guards. */
export function checkFields(node: NodeReading, names: FieldNames, found: Mistake[]): void {
  const { pointer, when, goes_on, kind } = node;
  if (when !== undefined) checkGuard('when', { text: when, pointer }, names, found);
  if (goes_on !== undefined) checkGuard('while', { text: goes_on, pointer }, names, found);
  if (kind !== undefined) checkKind(node, kind, names, found);
  else unknownKind(node, names, found);
}

function unknownKind({ type, pointer }: NodeReading, { catalogue, suggest }: FieldNames, found: Mistake[]): void {
  if (type === undefined || type === '') return;
  const message = `There is no node kind \`${type}\`.`;
  found.push(mistake('unknown_kind', `${pointer}/type`, message, suggest(type, catalogue.keys())));
}

interface Guard {
  readonly text: string;
  readonly pointer: string;
}

function checkGuard(
  key: 'when' | 'while',
  { text, pointer }: Guard,
  { catalogue }: FieldNames,
  found: Mistake[],
): void {
  const place = `${pointer}/${key}`;
  const kind = catalogue.get(GUARD_KIND);
  const wrong = kind && own(kind.fields, GUARD_FIELD)?.check(text);
  if (kind === undefined) {
    const message = `\`${key}\` needs the node kind \`${GUARD_KIND}\`, which is not declared.`;
    found.push(mistake('unknown_kind', place, message));
  } else if (wrong !== undefined) {
    found.push(mistake('bad_field', place, sentence(`\`${key}\``, wrong)));
  }
}

function checkKind(node: NodeReading, kind: KindDeclaration, names: FieldNames, found: Mistake[]): void {
  const { params, inputs, pointer } = node;
  const before = found.length;
  for (const name of Object.keys(params)) {
    const value = params[name];
    const field = fieldOf(kind, name);
    checkName(node, { kind, field, where: 'params', name }, names.suggest, found);
    if (field !== undefined) checkLiteral(node, { name, value, field }, found);
  }
  for (const name of Object.keys(inputs)) {
    checkName(node, { kind, field: fieldOf(kind, name), where: 'inputs', name }, names.suggest, found);
    if (Object.hasOwn(params, name)) found.push(givenTwice(pointer, name));
    else if (name === kind.branches_from) found.push(branchesByReference(pointer, name));
  }
  if (!node.fields_known) return;
  checkMissing(node, kind, found);
  if (found.length === before) checkTogether(node, kind, found);
  checkVariable(node, names, found);
}

/** Never a member of the prototype, such as `constructor`. */
export function fieldOf({ fields, open_fields }: KindDeclaration, name: string): FieldDeclaration | undefined {
  return own(fields, name) ?? open_fields;
}

interface Given {
  readonly kind: KindDeclaration;
  readonly field: FieldDeclaration | undefined;
  readonly where: 'params' | 'inputs';
  readonly name: string;
}

function checkName(
  { pointer }: NodeReading,
  { kind, field, where, name }: Given,
  suggest: Suggest,
  found: Mistake[],
): void {
  if (field === undefined) {
    const near = suggest(name, Object.keys(kind.fields));
    const message = `The kind ${kind.type} has no field \`${name}\`.`;
    found.push(mistake('unknown_field', pointer + toPointer(where, name), message, near));
  } else if (field === kind.open_fields && !NODE_ID.test(name)) {
    const message = `The name \`${name}\` must match [A-Za-z][A-Za-z0-9_-]*.`;
    found.push(mistake('bad_id', pointer + toPointer(where, name), message));
  }
}

function givenTwice(pointer: string, name: string): Mistake {
  const message = `\`${name}\` stands in params and in inputs; keep one of them.`;
  return mistake('field_given_twice', pointer + toPointer('inputs', name), message);
}

function branchesByReference(pointer: string, name: string): Mistake {
  const message = `\`${name}\` names the node's branches, so it must be written in params.`;
  return mistake('bad_field', pointer + toPointer('inputs', name), message);
}

function checkMissing({ params, inputs, pointer }: NodeReading, kind: KindDeclaration, found: Mistake[]): void {
  for (const name of Object.keys(kind.fields)) {
    const field = kind.fields[name];
    if (field?.required !== true || Object.hasOwn(params, name) || Object.hasOwn(inputs, name)) continue;
    const where = field.type === 'formula' ? 'in params' : 'in params or in inputs';
    found.push(mistake('missing_field', pointer, `The kind ${kind.type} needs \`${name}\` ${where}.`));
  }
}

/** The rules between fields, which only hold for ones that are fine by themselves. */
function checkTogether({ params, inputs, pointer }: NodeReading, kind: KindDeclaration, found: Mistake[]): void {
  if (kind.check === undefined) return;
  const literals = Object.fromEntries(Object.entries(params).filter(([, value]) => !isFilledIn(value)));
  const names = new Set([...Object.keys(params), ...Object.keys(inputs)]);
  const problem = kind.check({ literals, names });
  if (problem === undefined) return;
  const { field, message } = problem;
  const where = field === undefined ? '' : toPointer(Object.hasOwn(params, field) ? 'params' : 'inputs', field);
  const subject = field === undefined ? `The kind ${kind.type}` : `\`${field}\``;
  found.push(mistake('bad_fields', pointer + where, sentence(subject, message)));
}

/** Kinds that name a variable. */
const VARIABLE_KINDS: ReadonlySet<string> = new Set(['set', 'get']);

function checkVariable({ type = '', params, inputs, pointer }: NodeReading, names: FieldNames, found: Mistake[]): void {
  if (!VARIABLE_KINDS.has(type)) return;
  const name = own(params, 'name');
  const place = `${pointer}/params/name`;
  if (Object.hasOwn(inputs, 'name') || isFilledIn(name)) {
    const where = Object.hasOwn(inputs, 'name') ? `${pointer}/inputs/name` : place;
    found.push(mistake('bad_field', where, '`name` must be written out, so that the variable is known before.'));
  } else if (typeof name === 'string' && !names.variables.has(name)) {
    const near = names.suggest(name, names.variables);
    found.push(mistake('unknown_variable', place, `The graph declares no variable \`${name}\`.`, near));
  }
}

/** A text whose value is known only when the node runs. */
export function isFilledIn(value: unknown): boolean {
  return typeof value === 'string' && value.includes('{{');
}

interface Literal {
  readonly name: string;
  readonly value: unknown;
  readonly field: FieldDeclaration;
}

function checkLiteral({ pointer }: NodeReading, { name, value, field }: Literal, found: Mistake[]): void {
  const wrong = field.check(value);
  if (wrong === undefined) return;
  const place = pointer + toPointer('params', name);
  if (typeof value !== 'number' || field.type !== 'decimal') {
    found.push(mistake('bad_field', place, sentence(`\`${name}\``, wrong)));
    return;
  }
  const text = JSON.stringify(String(value));
  const message = `\`${name}\` is money, a price or a quantity, so it must be a text: ${text}, not ${value}.`;
  found.push(mistake('bad_field', place, message, text));
}

export function sentence(subject: string, wrong: string): string {
  return `${subject}: ${wrong.replace(/\.$/, '')}.`;
}
