/** The values an execution is started with, against the inputs its graph declares. */
import { isDeeperThan, isObject } from '../json';
import { isDecimal } from '../money';
import { durationMs } from './duration';
import { MAX_VALUE_DEPTH } from './limits';
import type { DeclaredInput, Graph } from './schema';
import { createSuggest } from './suggest';
import type { ValueType } from './value-types';

export interface InputMistake {
  /** The name of the input. */
  readonly input: string;
  /** One sentence. */
  readonly message: string;
  /** The nearest declared name, where there is one. */
  readonly suggestion?: string;
}

export interface InputsVerdict {
  /** What was given, and the defaults of what was not; complete when there is no mistake. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly mistakes: readonly InputMistake[];
}

/** Every mistake at once: a name nobody declares, a value of another type, a required one that is missing. Never throws. */
export function checkInputs(
  { inputs: declared = {} }: Pick<Graph, 'inputs'>,
  given: Readonly<Record<string, unknown>>,
): InputsVerdict {
  const suggest = createSuggest();
  const names = Object.keys(declared);
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(declared, name));
  const values = Object.entries(declared).map(([name, input]) => [name, valueOf(name, input, given)] as const);
  return {
    inputs: Object.fromEntries(values.filter(([, value]) => value !== undefined)),
    mistakes: [
      ...unknown.map((name) => unknownInput(name, suggest(name, names))),
      ...values.flatMap(([name, value]) => problem(name, declared[name], value)),
    ],
  };
}

function valueOf(name: string, input: DeclaredInput, given: Readonly<Record<string, unknown>>): unknown {
  return Object.hasOwn(given, name) ? given[name] : input.default;
}

function unknownInput(input: string, suggestion: string | undefined): InputMistake {
  const message = `The graph declares no input \`${input}\`.`;
  return suggestion === undefined ? { input, message } : { input, message, suggestion };
}

function problem(input: string, declared: DeclaredInput | undefined, value: unknown): InputMistake[] {
  if (declared === undefined) return [];
  if (isDeeperThan(value, MAX_VALUE_DEPTH)) {
    return [{ input, message: `The input \`${input}\` is nested deeper than ${MAX_VALUE_DEPTH} levels.` }];
  }
  if (value !== undefined) {
    if (isOfType(declared.type, value)) return [];
    return [{ input, message: `The input \`${input}\` must be ${TYPE_WORDS[declared.type]}.` }];
  }
  if (declared.required === false) return [];
  return [{ input, message: `The input \`${input}\` is missing; it is ${TYPE_WORDS[declared.type]}.` }];
}

/** In words, to stand after *must be*. */
export const TYPE_WORDS: Readonly<Record<ValueType, string>> = {
  any: 'any value but null',
  text: 'a text',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  decimal: 'a decimal number in quotes, such as "12.50"',
  decimals: 'a list of decimal numbers in quotes',
  duration: 'a duration: a number of seconds, or "500ms", "30s", "5m", "1h"',
  formula: 'a formula',
  object: 'an object',
  list: 'a list',
};

const CHECKS: Readonly<Record<ValueType, (value: unknown) => boolean>> = {
  any: (value) => value !== null,
  text: isText,
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isSafeInteger,
  number: Number.isFinite,
  decimal: isDecimal,
  decimals: (value) => Array.isArray(value) && value.every(isDecimal),
  duration: (value) => durationMs(value) !== undefined,
  formula: isText,
  object: isObject,
  list: Array.isArray,
};

/** Whether a value is one of this type, as it stands in JSON. */
export function isOfType(type: ValueType, value: unknown): boolean {
  return CHECKS[type](value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
