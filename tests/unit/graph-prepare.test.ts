import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HoldfastError } from '../../src/errors';
import type { KindDeclaration } from '../../src/graph/kinds';
import { formatMistakes } from '../../src/graph/mistake';
import type { Mistake } from '../../src/graph/mistake';
import { prepareGraph } from '../../src/graph/prepare';
import type { GraphSource, Prepared } from '../../src/graph/prepare';
import { createSuggest, editDistance } from '../../src/graph/suggest';
import { validateGraph } from '../../src/graph/validate';
import { canonicalJson, graphVersion } from '../../src/graph/version';
import { sampleCatalogue, sha256 } from '../support/catalogue';

const prepare = (source: GraphSource): Prepared => prepareGraph(source, sampleCatalogue, { mode: 'paper', sha256 });

function refusalOf(source: GraphSource, catalogue = sampleCatalogue): HoldfastError {
  try {
    prepareGraph(source, catalogue, { mode: 'paper', sha256 });
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('the graph was accepted');
}

const tenMistakesJson = `{
  "holdfast": 1,
  "id": "ten",
  "nmae": "ten mistakes",
  "triggers": { "fast": { "type": "schedule", "every": "10ms" } },
  "nodes": {
    "bars": { "type": "candels", "params": { "symbol": "BTC/USDT" } },
    "first": {
      "type": "constant",
      "params": { "value": 1 },
      "timeout": "soon"
    },
    "mean": { "type": "sma", "params": { "perod": 5, "period": 5, "values": ["1"] } },
    "judge": {
      "type": "threshold",
      "params": { "value": "1", "min": 8 }
    },
    "tell": { "type": "notify", "params": { "message": "{{frist.value}}" } },
    "a": { "type": "notify", "after": ["b"] },
    "b": { "type": "notify", "after": ["a"] },
    "never": { "type": "notify", "after": ["judge.pass", "judge.fail"] },
    "late": { "type": "notify", "after": ["judge.passed"] }
  }
}
`;
const tenMistakesYaml = `holdfast: 1
id: ten
nmae: ten mistakes
triggers: { fast: { type: schedule, every: 10ms } }
nodes:
  bars: { type: candels, params: { symbol: BTC/USDT } }
  first:
    type: constant
    params: { value: 1 }
    timeout: soon
  mean: { type: sma, params: { perod: 5, period: 5, values: ['1'] } }
  judge:
    type: threshold
    params: { value: '1', min: 8 }
  tell: { type: notify, params: { message: '{{frist.value}}' } }
  a: { type: notify, after: [b] }
  b: { type: notify, after: [a] }
  never: { type: notify, after: [judge.pass, judge.fail] }
  late: { type: notify, after: [judge.passed] }
`;

describe('ten mistakes in one file', () => {
  it.each([
    ['JSON', tenMistakesJson, [4, 5, 7, 11, 13, 16, 18, 19, 21, 22]],
    ['YAML', tenMistakesYaml, [3, 4, 6, 10, 11, 14, 15, 16, 18, 19]],
  ])('are all told in the order of the %s text, each with its line', (_, text, lines) => {
    const error = refusalOf({ text, file: 'ten.json' });
    const mistakes = error.details.mistakes as Mistake[];
    expect(error.code).toBe('GraphInvalid');
    expect(mistakes.map(({ code, line }) => [code, line])).toEqual(
      [
        'unknown_key',
        'bad_trigger',
        'unknown_kind',
        'shape',
        'unknown_field',
        'bad_field',
        'dangling_reference',
        'cycle',
        'unreachable_node',
        'unknown_output',
      ].map((code, at) => [code, lines[at]]),
    );
    const places = text.split('\n');
    for (const { path, line = 0, column = 0 } of mistakes) {
      const key = path.split('/').at(-1) ?? '';
      if (!/^\d+$/.test(key)) expect(places[line - 1]?.slice(column - 1)).toMatch(new RegExp(`^"?${key}"?:`));
    }
    expect(error.message).toContain('The graph has 10 mistakes:\nten.json:');
  });

  it('are lines for a terminal', () => {
    const mistakes = refusalOf({ text: tenMistakesYaml }).details.mistakes as Mistake[];
    expect(formatMistakes(mistakes.slice(0, 3), 'ten.yaml').split('\n')).toEqual([
      'ten.yaml:3:1  unknown_key  A graph has no key `nmae`. (did you mean name?)',
      'ten.yaml:4:37  bad_trigger  `every` must be a whole number of seconds.',
      'ten.yaml:6:11  unknown_kind  There is no node kind `candels`. (did you mean candles?)',
    ]);
    expect(formatMistakes([{ code: 'cycle', path: '/nodes/a', message: 'Round.' }])).toBe(
      'graph#/nodes/a  cycle  Round.',
    );
  });
});

describe('prepareGraph', () => {
  const nodes = { c: { type: 'constant', params: { value: 1 } } };
  const document = { holdfast: 1, id: 'g', nodes };

  it('gives what an execution is started with: graph, version, traits of the kinds used, mode', () => {
    const guarded = { ...document, nodes: { ...nodes, d: { type: 'notify', when: 'c.value > 0' } } };
    const { prepared, report } = prepare({ document: guarded });
    expect(report).toEqual([]);
    expect(prepared).toMatchObject({ graph: guarded, mode: 'paper', version: expect.stringMatching(/^[0-9a-f]{12}$/) });
    expect(Object.keys(prepared.kinds).sort()).toEqual(['constant', 'if', 'notify']);
    expect(Object.keys(prepared.kinds.if ?? {}).sort()).toEqual([
      'branches',
      'effect',
      'formulas',
      'retry',
      'timeout_ms',
    ]);
    expect(Object.keys(prepare({ document }).prepared.kinds)).toEqual(['constant']);
  });

  it('imports inline parameters, names the graph after its file and reports it', () => {
    const text = '{"nodes": {"node1": {"type": "constant", "value": 42}}}';
    const { prepared, report } = prepare({ text, file: 'dir/first.json' });
    expect(prepared.graph).toEqual({
      holdfast: 1,
      id: 'first',
      nodes: { node1: { type: 'constant', params: { value: 42 } } },
    });
    expect(report.map(({ severity, path, message }) => `${severity} ${path} ${message}`)).toEqual([
      'changed /holdfast Added "holdfast": 1, the version of the language.',
      'changed /id Added "id": "first".',
      'changed /nodes/node1/value `value` of node node1 became its param.',
    ]);
    expect(prepare({ document: JSON.parse(text) as unknown }).prepared.graph.id).toBe('graph');
  });

  it('places mistakes in moved parameters where they were written', () => {
    const text = '{"nodes": {\n "m": {"type": "sma",\n  "period": 0,\n  "values": ["1", 2],\n  "x/y": 1}}}';
    const mistakes = refusalOf({ text }).details.mistakes as Mistake[];
    expect(mistakes.map(({ code, path, line, column }) => [code, path, line, column])).toEqual([
      ['bad_field', '/nodes/m/period', 3, 3],
      ['bad_field', '/nodes/m/values', 4, 3],
      ['unknown_field', '/nodes/m/x~1y', 5, 3],
    ]);
  });

  it('refuses a text with a doubled key, together with all other mistakes', () => {
    const text = '{"holdfast": 1, "id": "g", "id": "h", "nodes": {"a": {"type": "b"}}}';
    const codes = (refusalOf({ text }).details.mistakes as Mistake[]).map(({ code }) => code);
    expect(codes).toEqual(['duplicate_key', 'unknown_kind']);
    expect(refusalOf({ text: '{"holdfast": 1, "id": "g", "id": "h", "nodes": {}}' }).message).toContain('a mistake');
  });

  it('refuses what is no graph in one sentence', () => {
    expect(refusalOf({ text: 'nope', file: 'x.json' }).message).toBe(
      'The graph has a mistake:\nx.json:1:1  syntax  The text holds no graph: a graph is a JSON or YAML object.',
    );
    expect(refusalOf({ document: undefined }).code).toBe('GraphInvalid');
  });

  it('refuses a graph that is too large together with the traits of its kinds', () => {
    const constant = sampleCatalogue.get('constant') as KindDeclaration;
    const wide = { ...constant, branches: ['x'.repeat(1_900_000)] };
    const error = refusalOf({ document }, new Map([['constant', wide]]));
    expect(error.code).toBe('GraphTooLarge');
    expect(error.details).toMatchObject({ limit: 1_572_864 });
  });

  it('takes a small graph whose kinds a large one would leave no room', () => {
    const constant = sampleCatalogue.get('constant') as KindDeclaration;
    const wide = { ...constant, branches: ['x'.repeat(1_000_000)] };
    const document = { holdfast: 1, id: 'g', nodes: { a: { type: 'constant', params: { value: 1 } } } };
    const { prepared } = prepareGraph({ document }, new Map([['constant', wide]]), { mode: 'paper', sha256 });
    expect(prepared.kinds['constant']?.branches).toEqual(wide.branches);
  });
});

describe('the version', () => {
  const base = { holdfast: 1 as const, id: 'g', nodes: { a: { type: 'constant', params: { value: 1 } } } };

  it('does not depend on the order of keys, nor on ui and $schema', () => {
    const turned = {
      ui: { a: [1, 2] },
      nodes: { a: { params: { value: 1 }, type: 'constant' } },
      id: 'g',
      holdfast: 1 as const,
    };
    expect(graphVersion({ ...turned, $schema: 'x' }, sha256)).toBe(graphVersion(base, sha256));
    expect(graphVersion({ ...base, name: 'n' }, sha256)).not.toBe(graphVersion(base, sha256));
  });

  it('writes whole numbers first and in their order, leaves out what is undefined, and keeps lists as they are', () => {
    const value = { b: [2, undefined, 'x'], a: { 10: 1, '01': 3, 9: null, 4294967295: 0 }, c: undefined };
    expect(canonicalJson(value)).toBe('{"a":{"9":null,"10":1,"01":3,"4294967295":0},"b":[2,null,"x"]}');
  });

  it('is the same for every value whose members are only ordered differently', () => {
    const turn = (value: unknown): unknown => {
      if (typeof value !== 'object' || value === null) return value;
      if (Array.isArray(value)) return value.map(turn);
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, inner]) => [key, turn(inner)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(turn(value))).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('validateGraph', () => {
  it('answers any JSON without an exception, with a graph exactly when there is no mistake', () => {
    const kind = fc.constantFrom(...sampleCatalogue.keys(), 'x');
    const text = fc.constantFrom('a', 'a.value', 'b.pass', '{{a.value}}', 'c.x.y', '', 'all', '__proto__', '1s');
    const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), text);
    const node = fc.record(
      {
        type: fc.oneof(kind, value),
        params: fc.oneof(
          fc.dictionary(fc.constantFrom('value', 'min', 'condition', 'message', 'values', '__proto__'), value),
          value,
        ),
        inputs: fc.oneof(fc.dictionary(fc.constantFrom('value', 'min', 'values'), text), value),
        after: fc.oneof(fc.array(text), value),
        when: value,
        join: value,
      },
      { requiredKeys: [] },
    );
    const graph = fc.record(
      {
        holdfast: fc.constantFrom(1, 2),
        id: value,
        nodes: fc.dictionary(fc.constantFrom('a', 'b', 'c', '9'), node),
        triggers: value,
        ui: value,
      },
      { requiredKeys: ['nodes'] },
    );
    fc.assert(
      fc.property(fc.oneof(graph, fc.jsonValue()), (document) => {
        const { graph: valid, mistakes } = validateGraph(document, sampleCatalogue);
        expect(valid === undefined).toBe(mistakes.length > 0);
        for (const { message } of mistakes) expect(message).toMatch(/[.]$/);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('suggestions', () => {
  it('are the nearest name within a third of the length', () => {
    const suggest = createSuggest();
    expect(suggest('perod', ['values', 'period', 'periods'])).toBe('period');
    expect(suggest('TYPE', ['type'])).toBe('type');
    expect(suggest('zzz', ['period'])).toBeUndefined();
    expect(suggest('x'.repeat(65), ['x'.repeat(65)])).toBeUndefined();
  });

  it('end when the budget of comparisons is used up', () => {
    const suggest = createSuggest(10);
    expect(suggest('abc', ['abd'])).toBe('abd');
    expect(suggest('abc', ['abd'])).toBeUndefined();
    expect(suggest('abc', ['abd'])).toBeUndefined();
  });

  it('count insertions, deletions, substitutions and swaps', () => {
    expect(['', 'ab', 'bac', 'abcd', 'xbc', 'cab'].map((each) => editDistance('abc', each))).toEqual([
      3, 1, 1, 1, 1, 2,
    ]);
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
