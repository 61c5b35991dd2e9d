/**
 * Formulas such as `spread.bps > 8 && rsi.value < 30`: parsed by jsep, computed over decimals.
 *
 * F1. Exact: number literals are read from their text and computed in decimal; `0.1 + 0.2 == 0.3` is true.
 * F2. Closed: literals, references, `+ - * / %`, comparisons, `&& || !`, `?:`, parentheses, `min`, `max` and `abs`.
 *     No property of anything is ever read: a reference is looked up whole among the values given.
 * F3. Bounded: 1,000 characters, 300 parts, products of 500 digits; nothing in a formula repeats.
 * F4. What `checkFormula` accepts always parses, and its references are those `referencesInFormula` finds.
 *     jsep alone is laxer than that function (spaces beside dots, letters outside ASCII, escapes), so those are refused.
 */
import jsep from 'jsep';
import { HoldfastError, messageOf } from '../errors';
import { MAX_FORMULA } from '../graph/references';
import type { FormulaValue } from '../graph/task';
import { decimal, formatDecimal, isDecimal } from '../money';
import {
  asBoolean,
  asDecimal,
  binaryOperators,
  FormulaMistake,
  functions,
  readValue,
  type Value,
} from './formula-values';

const MAX_PARTS = 300;

type Values = FormulaValue['values'];

/** A part of a formula, ready to be computed. */
interface Part {
  readonly text: string;
  readonly run: (values: Values) => Value;
}

/** Says in one sentence what is wrong with a formula's text, or nothing when it parses. */
export function checkFormula(text: unknown): string | undefined {
  try {
    compile(text);
    return undefined;
  } catch (error) {
    if (error instanceof FormulaMistake) return error.message;
    throw error;
  }
}

/**
 * Computes a formula: true, false, a text, or a decimal string with at most 30 digits after the point. Throws
 * `InvalidInput` naming the part that cannot be computed: a value missing or of the wrong type, a division by zero.
 */
export function evaluateFormula({ formula, values }: FormulaValue): boolean | string {
  try {
    const result = compile(formula).run(values);
    return typeof result === 'object' ? formatDecimal(result) : result;
  } catch (error) {
    if (error instanceof FormulaMistake) throw new HoldfastError('InvalidInput', error.message, { formula });
    throw error;
  }
}

function compile(text: unknown): Part {
  if (typeof text !== 'string' || text.trim() === '') throw new FormulaMistake('a formula is a text that is not empty');
  refuseWhatOnlyTheParserAllows(text);
  return new Compiler().part(parse(text));
}

function refuseWhatOnlyTheParserAllows(text: string): void {
  if (text.length > MAX_FORMULA) throw new FormulaMistake(`a formula has at most ${MAX_FORMULA} characters`);
  if (text.includes('\\')) throw new FormulaMistake('a text in a formula cannot hold a backslash');
  const bare = text.replace(/'[^']*'|"[^"]*"/g, "''");
  const stranger = /[^A-Za-z0-9_. \t\r\n+\-*/%<>=!&|?:(),'"]/u.exec(bare);
  if (stranger) throw new FormulaMistake(`${JSON.stringify(stranger[0])} has no meaning in a formula`);
  if (/\s\.|\.\s/.test(bare)) throw new FormulaMistake('no space may stand beside a dot in a formula');
}

/** Texts in quotes, which stay as they are, and references. */
const QUOTED_OR_REFERENCE = /'[^']*'|"[^"]*"|(?<![A-Za-z0-9_.])[A-Za-z]\w*(?:\.\w+)+/g;
/** Before a step that begins with a digit, such as a list's item: the parser takes no digit there, and no formula can hold this sign itself. */
const STEP_SIGN = '$';

function parse(text: string): jsep.CoreExpression {
  const readable = text.replace(QUOTED_OR_REFERENCE, (each) =>
    /^['"]/.test(each) ? each : each.replace(/\.(?=\d)/g, () => `.${STEP_SIGN}`),
  );
  try {
    return jsep(readable) as jsep.CoreExpression;
  } catch (error) {
    throw new FormulaMistake(`the formula does not parse: ${messageOf(error)}`);
  }
}

/** Turns the parser's tree into parts; the depth of recursion is bounded by the count of parts. */
class Compiler {
  #parts = 0;

  part(node: jsep.CoreExpression): Part {
    this.#parts += 1;
    if (this.#parts > MAX_PARTS) throw new FormulaMistake(`a formula has at most ${MAX_PARTS} parts`);
    switch (node.type) {
      case 'Literal':
        return literal(node);
      case 'MemberExpression':
        return reference(node);
      case 'UnaryExpression':
        return this.#unary(node);
      case 'BinaryExpression':
        return this.#binary(node);
      case 'ConditionalExpression':
        return this.#choice(node);
      case 'CallExpression':
        return this.#call(node);
      default:
        throw foreign(node);
    }
  }

  #of(node: jsep.Expression): Part {
    return this.part(node as jsep.CoreExpression);
  }

  #unary({ operator, argument }: jsep.UnaryExpression): Part {
    const of = this.#of(argument);
    const text = `${operator}${of.text}`;
    if (operator === '!') return { text, run: (values) => !asBoolean(valued(of, values)) };
    if (operator === '-') return { text, run: (values) => asDecimal(valued(of, values)).neg() };
    throw new FormulaMistake(`${operator} before a value is no operator of formulas`);
  }

  #binary({ operator, left, right }: jsep.BinaryExpression): Part {
    const [a, b] = [this.#of(left), this.#of(right)];
    const text = `${a.text} ${operator} ${b.text}`;
    if (operator === '&&') return { text, run: (values) => isTrue(a, values) && isTrue(b, values) };
    if (operator === '||') return { text, run: (values) => isTrue(a, values) || isTrue(b, values) };
    const compute = binaryOperators.get(operator);
    if (compute === undefined) throw new FormulaMistake(`${operator} is no operator of formulas`);
    return { text, run: (values) => compute(valued(a, values), valued(b, values)) };
  }

  #choice({ test, consequent, alternate }: jsep.ConditionalExpression): Part {
    const [question, yes, no] = [this.#of(test), this.#of(consequent), this.#of(alternate)];
    const text = `${question.text} ? ${yes.text} : ${no.text}`;
    return { text, run: (values) => (isTrue(question, values) ? yes : no).run(values) };
  }

  #call({ callee, arguments: given }: jsep.CallExpression): Part {
    const name = nameOf(callee as jsep.CoreExpression) ?? 'this';
    const callable = functions.get(name);
    if (callable === undefined) throw new FormulaMistake(`${name} is no function of formulas; they have min, max, abs`);
    const { least, most, run } = callable;
    const [first, ...rest] = given.map((each) => this.#of(each));
    if (first === undefined || given.length < least || given.length > most) throw wrongCount(name, least, most);
    const number = (part: Part, values: Values) => asDecimal(valued(part, values));
    return {
      text: `${name}(…)`,
      run: (values) =>
        run(
          number(first, values),
          rest.map((each) => number(each, values)),
        ),
    };
  }
}

const valued = (part: Part, values: Values) => ({ text: part.text, value: part.run(values) });
const isTrue = (part: Part, values: Values) => asBoolean(valued(part, values));

function literal({ value, raw }: jsep.Literal): Part {
  if (typeof value === 'boolean') return { text: raw, run: () => value };
  if (typeof value === 'string') return { text: raw, run: () => readValue(raw, value) };
  if (typeof value !== 'number' || !isDecimal(raw)) throw new FormulaMistake(`${raw} is no plain decimal such as 0.5`);
  const number = decimal(raw);
  return { text: raw, run: () => number };
}

function reference(node: jsep.MemberExpression): Part {
  const name = nameOf(node);
  if (name === undefined || !/^[A-Za-z]/.test(name)) throw foreign(node);
  return {
    text: name,
    run: (values) => readValue(name, Object.hasOwn(values, name) ? values[name] : undefined),
  };
}

/** `a.b.c` of nested member expressions; undefined for anything computed, optional or on another thing than a name. */
function nameOf(node: jsep.CoreExpression): string | undefined {
  if (node.type === 'Identifier') return node.name.startsWith(STEP_SIGN) ? node.name.slice(1) : node.name;
  if (node.type !== 'MemberExpression' || node.optional === true) return undefined;
  const object = nameOf(node.object as jsep.CoreExpression);
  const property = nameOf(node.property as jsep.CoreExpression);
  return object === undefined || property === undefined ? undefined : `${object}.${property}`;
}

function foreign(node: jsep.CoreExpression): FormulaMistake {
  if (node.type === 'Identifier') return new FormulaMistake(`${node.name} is no reference: write node.output`);
  if (node.type === 'Compound') return new FormulaMistake('a formula is one expression');
  return new FormulaMistake('a formula holds only values, node.output references, operators, min, max and abs');
}

function wrongCount(name: string, least: number, most: number): FormulaMistake {
  return new FormulaMistake(`${name} takes ${least === most ? String(least) : `${least} to ${most}`} values`);
}
