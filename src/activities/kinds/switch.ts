import { decimal, isDecimal } from '../../money';
import { defineNode, field, output, type NodeKind } from '../define-node';

const OTHERWISE = 'default';
const BRANCH = /^[A-Za-z0-9_-]+$/;
const TAKEN: ReadonlySet<string> = new Set([OTHERWISE, 'success', 'error', 'finished']);
const MOST_CASES = 100;
const MOST_LITERALS = 1_000;

type Cases = Readonly<Record<string, unknown>>;

const literalsOf = (literals: unknown): readonly unknown[] => (Array.isArray(literals) ? literals : [literals]);

/**
 * What two values have in common when a case holds for both: decimals compare by value, and a JSON number counts as the digits
 * JSON writes for it, as in formulas. Undefined for lists and objects, which no case holds for.
 */
function keyOf(value: unknown): string | undefined {
  if (typeof value === 'object' && value !== null) return undefined;
  const digits = typeof value === 'number' ? String(value) : value;
  if (!isDecimal(digits)) return `${typeof value} ${String(value)}`;
  const number = decimal(digits);
  return number.eq('0') ? 'decimal 0' : `decimal ${number.toFixed()}`;
}

function wrongWith(cases: Cases): string | undefined {
  const names = Object.keys(cases);
  if (names.length === 0 || names.length > MOST_CASES) return `must have 1 to ${MOST_CASES} cases`;
  const unusable = names.find((name) => !BRANCH.test(name) || TAKEN.has(name));
  if (unusable !== undefined) return `a branch cannot be called ${JSON.stringify(unusable)}`;
  return wrongLiteral(cases);
}

function wrongLiteral(cases: Cases): string | undefined {
  const all = Object.entries(cases).flatMap(([name, literals]) => literalsOf(literals).map((each) => ({ name, each })));
  if (all.length > MOST_LITERALS) return `must have at most ${MOST_LITERALS} literals`;
  const holds = new Map<string, string>();
  for (const { name, each } of all) {
    const key = keyOf(each);
    if (key === undefined)
      return `the case ${name} holds a list or an object; write texts, numbers, true, false or null`;
    const other = holds.get(key);
    if (other !== undefined && other !== name)
      return `the cases ${other} and ${name} both hold for ${JSON.stringify(each)}`;
    holds.set(key, name);
  }
  return undefined;
}

const choose = defineNode({
  type: 'switch',
  family: 'conditions',
  effect: 'pure',
  description:
    'Goes on with the case that holds for a value, else with `default`. Two decimals compare by value: "1.0" is "1".',
  example: {
    type: 'switch',
    params: { cases: { trade: ['buy', 'sell'], wait: 'hold' } },
    inputs: { value: 'advice.value' },
  },
  fields: {
    value: field.any('The value judged.'),
    cases: field.objectOf('By the name of the branch: a literal, or a list of literals, it is taken for.', wrongWith),
  },
  outputs: { value: output('any', 'The value judged, unchanged.', { same_as: 'value' }) },
  branches: [OTHERWISE],
  branches_from: 'cases',
  run: ({ value, cases }) => {
    const key = keyOf(value);
    const holds = (literals: unknown) => key !== undefined && literalsOf(literals).some((each) => keyOf(each) === key);
    const [branch = OTHERWISE] = Object.entries(cases).find(([, literals]) => holds(literals)) ?? [];
    return { outputs: { value }, branch };
  },
});

export const switchKinds: readonly NodeKind[] = [choose];
