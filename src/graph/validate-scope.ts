/** Validation of references that name no node: start inputs and the item of a loop. */
import { openFieldsOf, outside, seesAround, subgraphAround, type BodyReading } from './body-reading';
import { mistake } from './mistake';
import type { Mistake, MistakeCode } from './mistake';
import type { Suggest } from './suggest';
import { typeAt } from './value-types';
import type { ValueType } from './value-types';
import { placeOf, type Source, type Wire } from './wires';

export interface Names {
  readonly bodies: readonly BodyReading[];
  /** The start inputs the graph declares. */
  readonly inputs: ReadonlyMap<string, ValueType>;
  readonly suggest: Suggest;
}

/** The type a reference leads to, or what is wrong with it. */
export type Found = ValueType | Mistake;

export function inputType(wire: Wire, { on, path }: Source, body: BodyReading, { inputs, suggest }: Names): Found {
  const subgraph = subgraphAround(body);
  const known = subgraph === undefined ? inputs : openFieldsOf(subgraph);
  if (!known.has(on)) {
    const message =
      subgraph === undefined
        ? `The graph declares no input \`${on}\`.`
        : `The subgraph \`${subgraph.id}\` is given no field \`${on}\`.`;
    return mistakeAt(wire, 'unknown_input', message, prefixed('input', suggest(on, known.keys())));
  }
  const type = subgraph === undefined ? (inputs.get(on) ?? 'any') : 'any';
  return typeAt(type, path) ?? noPart(wire, { of: `input.${on}`, type, path });
}

const PARTS: Readonly<Record<'map' | 'repeat' | 'unknown', readonly string[]>> = {
  map: ['value', 'index', 'parent'],
  repeat: ['index', 'last', 'parent'],
  unknown: ['value', 'index', 'last', 'parent'],
};

export function itemType(wire: Wire, path: readonly string[], body: BodyReading, { suggest }: Names): Found {
  let loop = body;
  let at = 0;
  for (; path[at] === 'parent' && isLoop(loop); at += 1) {
    const around = outside(loop);
    if (around === undefined || !isLoop(around)) {
      return mistakeAt(wire, 'bad_scope', '`item.parent` is the item of a loop around this one, and there is none.');
    }
    loop = around;
  }
  if (!isLoop(loop)) return mistakeAt(wire, 'bad_scope', '`item` is known in the body of a `map` or a `repeat` alone.');
  const [part = '', ...rest] = path.slice(at);
  const prefix = ['item', ...path.slice(0, at)].join('.');
  if (!PARTS[loop.kind].includes(part) || part === 'parent') {
    const known = PARTS[loop.kind];
    const message = `\`${prefix}\` has ${listed(known)}, not \`${part}\`.`;
    return mistakeAt(wire, 'unknown_output', message, prefixed(prefix, suggest(part, known)));
  }
  return partType(wire, { prefix, part, rest }, loop, suggest);
}

type Loop = BodyReading & { readonly kind: keyof typeof PARTS };

function isLoop(body: BodyReading): body is Loop {
  return seesAround(body);
}

interface Part {
  readonly prefix: string;
  readonly part: string;
  readonly rest: readonly string[];
}

function partType(wire: Wire, { prefix, part, rest }: Part, { outputs }: Loop, suggest: Suggest): Found {
  if (part === 'value') return 'any';
  if (part === 'index')
    return typeAt('integer', rest) ?? noPart(wire, { of: `${prefix}.index`, type: 'integer', path: rest });
  const [name] = rest;
  if (name === undefined) return 'object';
  if (Object.hasOwn(outputs, name)) return 'any';
  const known = Object.keys(outputs);
  const message = `The body gives no output \`${name}\`; ${has(known)}.`;
  return mistakeAt(wire, 'unknown_output', message, prefixed(`${prefix}.last`, suggest(name, known)));
}

export function noPart(
  wire: Wire,
  { of, type, path }: { of: string; type: ValueType; path: readonly string[] },
): Mistake {
  return mistakeAt(wire, 'unknown_output', `\`${of}\` is of type ${type} and has no part \`${path.join('.')}\`.`);
}

export function mistakeAt(wire: Wire, code: MistakeCode, message: string, suggestion?: string): Mistake {
  return mistake(code, placeOf(wire), message, suggestion);
}

export function prefixed(node: string, name: string | undefined): string | undefined {
  return name === undefined ? undefined : `${node}.${name}`;
}

export function has(names: readonly string[]): string {
  return names.length === 0 ? 'it has none' : `it has ${listed(names)}`;
}

export function listed(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
