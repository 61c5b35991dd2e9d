import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import jsep from 'jsep';
import { checkFormula, evaluateFormula } from '../../src/activities/formula';
import { referencesInFormula } from '../../src/graph/references';

const run = (formula: string, values: Record<string, unknown> = {}) => evaluateFormula({ formula, values });
const refused = (formula: string, values: Record<string, unknown> = {}) => {
  try {
    return `gave ${run(formula, values)}`;
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
};

describe('a formula', () => {
  it.each([
    ['0.1 + 0.2 == 0.3', true],
    ['0.1 + 0.2', '0.3'],
    ['9007199254740993 - 9007199254740992', '1'],
    ['123456789012345678901234567890 + 1', '123456789012345678901234567891'],
    ['2 + 3 * 4 - 10 / 4', '11.5'],
    ['(2 + 3) * 4', '20'],
    ['7 % 4', '3'],
    ['-7 % 4', '-3'],
    ['1 / 3', '0.33333333333333333333'],
    ['-(2 - 5)', '3'],
    ['- -5', '5'],
    ['0 * -1', '0'],
    ['2 < 10', true],
    ['10 <= 10.0', true],
    ['2 > 10', false],
    ['10 >= 10.01', false],
    ['1.50 == 1.5', true],
    ['1.50 != 1.5', false],
    ["'buy' == 'buy'", true],
    ["'buy' != 'sell'", true],
    ["'1.0' == 1", true],
    ["'buy' == 1", false],
    ['true == false', false],
    ['!false && true', true],
    ['false || !true', false],
    ['1 < 2 ? 10 : 20', '10'],
    ['1 > 2 ? 10 : 3 > 2 ? 30 : 40', '30'],
    ['min(3, 1, 2) + max(3, 1, 2)', '4'],
    ['abs(-2.50)', '2.5'],
    ['true', true],
    ["'text'", 'text'],
  ])('%s gives %j', (formula, expected) => {
    expect(checkFormula(formula)).toBeUndefined();
    expect(run(formula)).toBe(expected);
  });

  it('reads references: decimal strings as decimals, others as texts, numbers by their digits', () => {
    const values = { 'a.bps': '10.0', 'b.bps': '9', 'a.side': 'buy', 'a.count': 3, 'a.rate': 0.1, 'a.on': true };
    expect(run('a.bps > b.bps', values)).toBe(true);
    expect(run("a.side == 'buy' && a.count == 3 && a.on", values)).toBe(true);
    expect(run('a.rate * 3 == 0.3', values)).toBe(true);
    expect(run('w.free.BTC', { 'w.free.BTC': '0.50' })).toBe('0.5');
    const items = { 'c.closes.0': '10', 'c.closes.10': 9, 'm.results.2.last': '1.5', 'm.1st': 'a.0' };
    expect(run('c.closes.0 - c.closes.10 == 1.0 && -m.results.2.last < 0.5', items)).toBe(true);
    expect(run("m.1st == 'a.0'", items)).toBe(true);
  });

  it('leaves the side not taken uncomputed', () => {
    expect(run('false && 1 / 0 > 1')).toBe(false);
    expect(run('true || 1 / 0 > 1')).toBe(true);
    expect(run('true ? 1 : 1 / 0')).toBe('1');
  });

  it.each([
    ['a.b > 1', {}, 'a.b is missing'],
    ['a.b > 1', { 'a.b': null }, 'a.b is null'],
    ['a.b > 1', { 'a.b': ['1'] }, 'a.b is a list'],
    ['a.b > 1', { 'a.b': {} }, 'a.b is an object'],
    ['a.b > 1', { 'a.b': NaN }, 'a.b is the number NaN'],
    ['a.b > 1', { 'a.b': 1e21 }, 'a.b is the number 1e+21'],
    ['a.b > 1', { 'a.b': 'buy' }, 'a.b is the text "buy", where a decimal is needed'],
    ["'buy' < 'sell'", {}, "'buy' is the text"],
    ['1 + true', {}, 'true is true, where a decimal is needed'],
    ['1 == true', {}, '1 is a decimal, where true or false is needed'],
    ['1 && true', {}, '1 is a decimal, where true or false is needed'],
    ['!1', {}, 'where true or false is needed'],
    ['1 ? 2 : 3', {}, 'where true or false is needed'],
    ['-true', {}, 'where a decimal is needed'],
    ['max(1, true)', {}, 'where a decimal is needed'],
    ['2 / (1 - 1)', {}, '1 - 1 is zero and cannot divide'],
    ['2 % 0', {}, '0 is zero and cannot divide'],
  ] as const)('%s of %j is refused, naming the part', (formula, values, message) => {
    expect(refused(formula, values)).toContain(`InvalidInput: `);
    expect(refused(formula, values)).toContain(message);
  });

  it('never reads a property of the values’ prototype', () => {
    expect(refused('a.__proto__ == 1', Object.create({ 'a.__proto__': '1' }) as object as never)).toContain('missing');
    expect(refused('constructor.name == 1')).toContain('constructor.name is missing');
    expect(checkFormula('constructor(1)')).toContain('constructor is no function');
  });
});

describe('checkFormula', () => {
  it.each([
    ['', 'not empty'],
    ['   ', 'not empty'],
    [8, 'is a text'],
    [undefined, 'is a text'],
    ['a.b >', 'does not parse'],
    ['(1', 'does not parse'],
    ["'open", 'does not parse'],
    ['1 ? 2', 'does not parse'],
    ['a', 'a is no reference: write node.output'],
    ['my-node.value', 'my is no reference'],
    ['a.b c.d', 'one expression'],
    ['a.b, c.d', 'one expression'],
    ['(a.b, c.d)', 'holds only'],
    ['()', 'one expression'],
    ['a.b == null', 'null is no plain decimal'],
    ['1e5', '1e5 is no plain decimal'],
    ['.5', '.5 is no plain decimal'],
    ['007', '007 is no plain decimal'],
    ['a.b === 1', '=== is no operator'],
    ['2 ** 3', '** is no operator'],
    ['+1', '+ before a value is no operator'],
    ['this.x', 'holds only'],
    ['_a.b', 'holds only'],
    ['a?.b', 'holds only'],
    ["'a'.length", 'holds only'],
    ['true.x', 'holds only'],
    ['a.b(1)', 'a.b is no function'],
    ['(1)(2)', 'this is no function'],
    ['sqrt(2)', 'sqrt is no function'],
    ['min(1)', 'min takes 2 to 50 values'],
    ['abs(1, 2)', 'abs takes 1 values'],
    ['abs()', 'abs takes 1 values'],
    ['a .b', 'beside a dot'],
    ['a. b', 'beside a dot'],
    ['a[0]', '"[" has no meaning'],
    ['a.b; c.d', '";" has no meaning'],
    ['ä.b', '"ä" has no meaning'],
    ['a.b\u00a0> 1', 'has no meaning'],
    ["'a\\n'", 'backslash'],
    ['1'.repeat(1_001), 'at most 1000 characters'],
    [`1${'+1'.repeat(299)}`, 'at most 300 parts'],
    ['('.repeat(999), 'does not parse'],
  ])('refuses %j', (text, message) => {
    expect(checkFormula(text)).toContain(message);
  });

  it('accepts the most parts there may be', () => {
    expect(checkFormula(`1${'+1'.repeat(149)}`)).toBeUndefined();
  });
});

const reference = fc.constantFrom(
  'a.b',
  'a.b.0',
  'spread.bps',
  'w.free.BTC',
  'min.value',
  'e1.e5',
  'x_1.y_2',
  'trueish.value',
);
const leaf = fc.oneof(
  reference,
  fc.constantFrom('1', '0.25', '100', 'true', 'false', "'a.b'", '"it\'s x.y"', '\'say "q.r"\''),
);
const { formula: formulas } = fc.letrec<{ formula: string }>((tie) => ({
  formula: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc
      .tuple(
        tie('formula'),
        fc.constantFrom('+', ' - ', '*', '/', ' < ', '>=', '==', ' && ', '||', '%'),
        tie('formula'),
      )
      .map((parts) => parts.join('')),
    fc.tuple(tie('formula'), tie('formula'), tie('formula')).map(([a, b, c]) => `(${a}?${b}:${c})`),
    tie('formula').map((inner) => `(${inner})`),
    tie('formula').map((inner) => `!${inner}`),
    tie('formula').map((inner) => `-${inner}`),
    fc.tuple(tie('formula'), tie('formula')).map(([a, b]) => `max(${a}, ${b})`),
  ),
}));
/** The characters formulas are made of, and stranger ones. */
const piece = fc.oneof(
  fc.constantFrom(...Array.from('ab1.0_ \t\n()?:!=<>&|+-*/%,\'"\\;[]$é\u00a0')),
  fc.constantFrom('a.b', 'true', 'this', 'null', 'min(', '1e5', '?.', '\\\n', ' . '),
);
const noise = fc.string({ unit: piece, maxLength: 30 });
/** Formulas with one thing too many in a random place. */
const nearMisses = fc.tuple(formulas, fc.nat(), piece).map(([text, at, extra]) => {
  const place = at % (text.length + 1);
  return text.slice(0, place) + extra + text.slice(place);
});
const anyText = fc.oneof(formulas, noise, nearMisses);

/** The references in the parser's own tree, found without the code under test. */
function referencesOf(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(referencesOf);
  if (typeof node !== 'object' || node === null) return [];
  const part = node as Record<string, unknown> & { type?: string; name?: string };
  if (part.type === 'MemberExpression') return [dotted(part)];
  return Object.values(part).flatMap(referencesOf);
}
function dotted(node: unknown): string {
  const part = node as { type: string; name: string; object: unknown; property: unknown };
  return part.type === 'Identifier' ? part.name.replace('$', '') : `${dotted(part.object)}.${dotted(part.property)}`;
}

/** The parser takes no step that begins with a digit; a text in quotes may change, for there is no reference in it. */
const readable = (text: string) => text.replace(/(?<=[A-Za-z_][\w.]*)\.(?=\d)/g, '.$$');

describe('for every text', () => {
  it('what the check accepts evaluates to a value or to InvalidInput about values, never to another error', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, given) => {
        const values = given ? Object.fromEntries(referencesInFormula(text).map((name) => [name, '2.5'])) : {};
        const mistake = checkFormula(text);
        const outcome = refused(text, values);
        if (mistake === undefined) expect(outcome).not.toMatch(/does not parse|no operator|no function|no reference/);
        else expect(outcome).toBe(`InvalidInput: ${mistake}`);
        expect(outcome).toMatch(/^(gave|InvalidInput)/);
      }),
      { numRuns: 3_000 },
    );
  });

  it('the references of an accepted formula are those the parser finds', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        fc.pre(checkFormula(text) === undefined);
        expect(new Set(referencesInFormula(text))).toEqual(new Set(referencesOf(jsep(readable(text)))));
      }),
      { numRuns: 3_000 },
    );
  });

  it('generated formulas are accepted, so the two properties above say something', () => {
    fc.assert(fc.property(formulas, (text) => checkFormula(text) === undefined || text.length > 1_000));
  });
});
