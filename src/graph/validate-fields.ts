/** Validation, third phase, per node: does its kind exist, and are its fields what the kind asks for? */
import type { FieldDeclaration, KindCatalogue, KindDeclaration } from './kinds';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { GUARD_FIELD, GUARD_KIND } from './node-reading';
import type { NodeReading } from './node-reading';
import { toPointer } from './pointer';
import type { Suggest } from './suggest';

export function checkFields(node: NodeReading, catalogue: KindCatalogue, suggest: Suggest): Mistake[] {
  return [
    ...checkWhen(node, catalogue),
    ...(node.kind ? checkKind(node, node.kind, suggest) : unknownKind(node, catalogue, suggest)),
  ];
}

function unknownKind({ type, pointer }: NodeReading, catalogue: KindCatalogue, suggest: Suggest): Mistake[] {
  if (type === undefined || type === '') return [];
  return [
    mistake('unknown_kind', `${pointer}/type`, `There is no node kind \`${type}\`.`, suggest(type, catalogue.keys())),
  ];
}

function checkWhen({ when, join, pointer }: NodeReading, catalogue: KindCatalogue): Mistake[] {
  if (when === undefined) return [];
  const place = `${pointer}/when`;
  const kind = catalogue.get(GUARD_KIND);
  const wrong = kind ? fieldOf(kind, GUARD_FIELD)?.check(when) : undefined;
  return [
    ...(kind
      ? []
      : [mistake('unknown_kind', place, `\`when\` needs the node kind \`${GUARD_KIND}\`, which is not declared.`)]),
    ...(wrong === undefined ? [] : [mistake('bad_field', place, sentence('`when`', wrong))]),
    ...(join === 'all'
      ? []
      : [
          mistake(
            'when_needs_join_all',
            place,
            `\`when\` is one more condition, so \`join\` must be "all", not ${JSON.stringify(join)}.`,
          ),
        ]),
  ];
}

function checkKind(node: NodeReading, kind: KindDeclaration, suggest: Suggest): Mistake[] {
  const { params, inputs, pointer } = node;
  return [
    ...unknownFields(node, kind, suggest),
    ...[...inputs.keys()].filter((name) => params.has(name)).map((name) => givenTwice(pointer, name)),
    ...[...params].flatMap(([name, value]) => checkLiteral(node, { name, value, field: fieldOf(kind, name) })),
    ...(node.fields_known ? missingFields(node, kind) : []),
  ];
}

function unknownFields({ params, inputs, pointer }: NodeReading, kind: KindDeclaration, suggest: Suggest): Mistake[] {
  const known = Object.keys(kind.fields);
  const given = [
    ...[...params.keys()].map((name) => ['params', name] as const),
    ...[...inputs.keys()].map((name) => ['inputs', name] as const),
  ];
  return given
    .filter(([, name]) => !known.includes(name))
    .map(([where, name]) =>
      mistake(
        'unknown_field',
        pointer + toPointer(where, name),
        `The kind ${kind.type} has no field \`${name}\`.`,
        suggest(name, known),
      ),
    );
}

function givenTwice(pointer: string, name: string): Mistake {
  return mistake(
    'field_given_twice',
    pointer + toPointer('inputs', name),
    `\`${name}\` stands in params and in inputs; keep one of them.`,
  );
}

function missingFields({ params, inputs, pointer }: NodeReading, kind: KindDeclaration): Mistake[] {
  return Object.entries(kind.fields)
    .filter(([name, field]) => field.required && !params.has(name) && !inputs.has(name))
    .map(([name, { type }]) => {
      const where = type === 'formula' ? 'in params' : 'in params or in inputs';
      return mistake('missing_field', pointer, `The kind ${kind.type} needs \`${name}\` ${where}.`);
    });
}

interface Literal {
  readonly name: string;
  readonly value: unknown;
  readonly field: FieldDeclaration | undefined;
}

function checkLiteral({ pointer }: NodeReading, { name, value, field }: Literal): Mistake[] {
  const wrong = field?.check(value);
  if (field === undefined || wrong === undefined) return [];
  const place = pointer + toPointer('params', name);
  if (typeof value === 'number' && field.type === 'decimal') {
    const text = JSON.stringify(String(value));
    return [
      mistake(
        'bad_field',
        place,
        `\`${name}\` is money, a price or a quantity, so it must be a text: ${text}, not ${value}.`,
        text,
      ),
    ];
  }
  return [mistake('bad_field', place, sentence(`\`${name}\``, wrong))];
}

function sentence(subject: string, wrong: string): string {
  return `${subject}: ${wrong.replace(/\.$/, '')}.`;
}

/** Never a member of the prototype, such as `constructor`. */
function fieldOf(kind: KindDeclaration, name: string): FieldDeclaration | undefined {
  return Object.hasOwn(kind.fields, name) ? kind.fields[name] : undefined;
}
