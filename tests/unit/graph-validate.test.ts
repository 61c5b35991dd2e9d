import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { HoldfastError } from '../../src/errors';
import { mistakeCatalogue } from '../../src/graph/mistake';
import type { Mistake, MistakeCode } from '../../src/graph/mistake';
import { present } from '../../src/json';
import { parseGraphText } from '../../src/graph/parse';
import { prepareGraph } from '../../src/graph/prepare';
import { validateGraph } from '../../src/graph/validate';
import { sampleCatalogue, sha256 } from '../support/catalogue';

type Nodes = Record<string, unknown>;

const graph = (nodes: Nodes, more: object = {}) => ({ holdfast: 1, id: 'g', nodes, ...more });
const check = (document: unknown): readonly Mistake[] => validateGraph(document, sampleCatalogue).mistakes;
const checkNodes = (nodes: Nodes, more?: object) => check(graph(nodes, more));
/** The mistakes of a document in another shape. */
function refused(document: unknown): readonly Mistake[] {
  try {
    prepareGraph({ document }, sampleCatalogue, { mode: 'paper', sha256 });
    return [];
  } catch (error) {
    return (error as HoldfastError).details['mistakes'] as readonly Mistake[];
  }
}
const briefly = (mistakes: readonly Mistake[]) => mistakes.map(({ code, path }) => `${code} ${path}`);

const constant = { type: 'constant', params: { value: 1 } };
const bars = { type: 'candles', params: { symbol: 'BTC/USDT' } };
const test = { type: 'threshold', params: { value: '1', min: '2' } };
const after = (...references: unknown[]) => ({ type: 'notify', after: references });
const fed = (reference: string) => ({ type: 'constant', inputs: { value: reference } });

const mapOf = (nodes: Nodes, outputs: object = {}) => ({
  type: 'map',
  params: { items: [1] },
  body: { nodes, outputs },
});
const nested = (depth: number): Nodes => ({ m: depth === 0 ? constant : mapOf(nested(depth - 1)) });

/** Every code with one document, or text, that has exactly this mistake. */
const provoked: Record<
  MistakeCode,
  { document?: unknown; text?: string; foreign?: unknown; path: string; node_id?: string; suggestion?: string }
> = {
  syntax: { text: '{"holdfast": 1,}', path: '' },
  duplicate_key: { text: '{"holdfast": 1, "id": "g", "id": "h", "nodes": {}}', path: '/id' },
  shape: { document: graph({ a: { ...constant, timeout: 'soon' } }), path: '/nodes/a/timeout', node_id: 'a' },
  unknown_key: {
    document: graph({ a: { ...constant, tiemout: 5 } }),
    path: '/nodes/a/tiemout',
    node_id: 'a',
    suggestion: 'timeout',
  },
  bad_id: { document: graph({ '1st': constant }), path: '/nodes/1st', node_id: '1st' },
  unknown_kind: {
    document: graph({ a: { type: 'constnat' } }),
    path: '/nodes/a/type',
    node_id: 'a',
    suggestion: 'constant',
  },
  unknown_field: {
    document: graph({ a: { type: 'notify', params: { mesage: 'x' } } }),
    path: '/nodes/a/params/mesage',
    node_id: 'a',
    suggestion: 'message',
  },
  missing_field: { document: graph({ a: { type: 'candles' } }), path: '/nodes/a', node_id: 'a' },
  field_given_twice: {
    document: graph({ c: constant, a: { ...fed('c.value'), params: { value: 1 } } }),
    path: '/nodes/a/inputs/value',
    node_id: 'a',
  },
  bad_field: {
    document: graph({ a: { type: 'threshold', params: { value: '1', min: 8 } } }),
    path: '/nodes/a/params/min',
    node_id: 'a',
    suggestion: '"8"',
  },
  bad_reference: {
    document: graph({ c: constant, a: fed('c') }),
    path: '/nodes/a/inputs/value',
    node_id: 'a',
    suggestion: 'c.value',
  },
  dangling_reference: {
    document: graph({ price: constant, a: fed('prices.value') }),
    path: '/nodes/a/inputs/value',
    node_id: 'a',
    suggestion: 'price',
  },
  unknown_output: {
    document: graph({ t: test, a: after('t.passed') }),
    path: '/nodes/a/after/0',
    node_id: 'a',
    suggestion: 't.pass',
  },
  type_mismatch: {
    document: graph({ b: bars, a: { type: 'threshold', params: { min: '1' }, inputs: { value: 'b.count' } } }),
    path: '/nodes/a/inputs/value',
    node_id: 'a',
  },
  cycle: { document: graph({ a: after('b'), b: after('a') }), path: '/nodes/a', node_id: 'a' },
  unreachable_node: { document: graph({ t: test, a: after('t.pass', 't.fail') }), path: '/nodes/a', node_id: 'a' },
  join_too_large: {
    document: graph({ c: constant, a: { ...after('c'), join: 2 } }),
    path: '/nodes/a/join',
    node_id: 'a',
  },
  bad_fields: {
    document: graph({ a: { type: 'wait', params: { for: 5, until: '2026-01-31T08:00:00Z' } } }),
    path: '/nodes/a',
    node_id: 'a',
  },
  bad_scope: {
    document: graph({ each: mapOf({ price: constant }), a: fed('price.value') }),
    path: '/nodes/a/inputs/value',
    node_id: 'a',
  },
  unknown_input: {
    document: graph({ each: mapOf({ price: fed('input.symbl') }) }, { inputs: { symbol: { type: 'text' } } }),
    path: '/nodes/each/body/nodes/price/inputs/value',
    node_id: 'each/price',
    suggestion: 'input.symbol',
  },
  unknown_variable: {
    document: graph({ a: { type: 'get', params: { name: 'bset' } } }, { variables: { best: '0' } }),
    path: '/nodes/a/params/name',
    node_id: 'a',
    suggestion: 'best',
  },
  bad_output: {
    document: graph({ each: { ...mapOf({ price: constant }, { last: 'price' }) } }),
    path: '/nodes/each/body/outputs/last',
    node_id: 'each',
    suggestion: 'price.value',
  },
  bad_default: {
    document: graph({}, { inputs: { size: { type: 'decimal', default: 2.5 } } }),
    path: '/inputs/size/default',
    suggestion: '"2.5"',
  },
  missing_body: {
    document: graph({ each: { type: 'map', params: { items: [] } } }),
    path: '/nodes/each',
    node_id: 'each',
  },
  unexpected_body: {
    document: graph({ a: { ...constant, body: { nodes: {} } } }),
    path: '/nodes/a/body',
    node_id: 'a',
  },
  bad_policy: {
    document: graph({ a: { ...constant, while: '1 > 0' } }),
    path: '/nodes/a/while',
    node_id: 'a',
    suggestion: 'when',
  },
  bad_on_halt: {
    document: graph({}, { on_halt: { nodes: { ask: { type: 'approval' } } } }),
    path: '/on_halt/nodes/ask/type',
    node_id: 'on_halt/ask',
  },
  too_deep: { document: graph(nested(6)), path: `/nodes/m${'/body/nodes/m'.repeat(5)}/body`, node_id: 'm/m/m/m/m/m' },
  bad_trigger: {
    document: graph({}, { triggers: { fast: { type: 'schedule', every: '200ms' } } }),
    path: '/triggers/fast/every',
  },
  not_imported: { foreign: { blocks: [7] }, path: '/blocks/0' },
  too_many_nodes: {
    document: graph(Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`n${at}`, constant]))),
    path: '/nodes',
  },
  too_large: { document: graph({}, { description: 'x'.repeat(1_048_576) }), path: '' },
};

describe('every mistake code', () => {
  it.each(Object.keys(mistakeCatalogue) as MistakeCode[])(
    '%s is given alone, with its place and suggestion',
    (code) => {
      const { document, text, foreign, path, node_id, suggestion } = provoked[code];
      const mistakes =
        foreign === undefined
          ? text === undefined
            ? check(document)
            : parseGraphText(text).mistakes
          : refused(foreign);
      expect(mistakes).toHaveLength(1);
      const { message = '', ...told } = mistakes[0] ?? {};
      const place = text === undefined ? {} : { line: expect.any(Number), column: expect.any(Number) };
      expect(told).toEqual({ code, path, ...present({ node_id, suggestion }), ...place });
      expect(message).toMatch(/^[^a-z].*\.$/);
    },
  );

  it('stands in the reference with its meaning', () => {
    const reference = readFileSync(join(__dirname, '../../docs/GRAPH.md'), 'utf8');
    const rows = [...reference.matchAll(/^\| `([a-z_]+)` \| (.+) \|$/gm)].map(([, code, meaning]) => [code, meaning]);
    const codes = rows.filter(([code = '']) => Object.hasOwn(mistakeCatalogue, code));
    expect(Object.fromEntries(codes)).toEqual(mistakeCatalogue);
  });

  it('names the node wherever the path leads into one', () => {
    expect(checkNodes({ a: { type: 'candles' } })[0]?.node_id).toBe('a');
    expect(check(graph({}, { holdfast: 2 }))[0]?.node_id).toBeUndefined();
  });
});

describe('the shape of a graph', () => {
  it.each([
    [undefined, 'shape '],
    [null, 'shape '],
    [[], 'shape '],
    ['text', 'shape '],
    [{ holdfast: 1, id: 'g' }, 'shape /nodes'],
    [{ holdfast: 1, id: 'g', nodes: [] }, 'shape /nodes'],
    [{ holdfast: 1, id: 'g', nodes: null }, 'shape /nodes'],
    [{ holdfast: 1, id: 'input', nodes: {} }, 'bad_id /id'],
    [{ holdfast: 1, id: 7, nodes: {} }, 'shape /id'],
    [graph({}, { bot_id: 'a b' }), 'bad_id /bot_id'],
    [graph({}, { nmae: 'x' }), 'unknown_key /nmae'],
    [graph({}, { triggers: { 'a b': { type: 'schedule', every: 5 } } }), 'bad_id /triggers/a b'],
    [graph({}, { triggers: { t: { type: 'schedule', every: 5, evry: 5 } } }), 'unknown_key /triggers/t/evry'],
    [graph({}, { triggers: 'hourly' }), 'shape /triggers'],
    [graph({}, { name: '' }), 'shape /name'],
    [graph({}, { name: 'x'.repeat(201) }), 'shape /name'],
    [graph({ a: null }), 'shape /nodes/a'],
    [graph({ a: {} }), 'shape /nodes/a/type'],
    [graph({ a: { type: '' } }), 'shape /nodes/a/type'],
    [graph({ a: { ...constant, params: [] } }), 'shape /nodes/a/params'],
    [graph({ a: { ...constant, after: 'b' } }), 'shape /nodes/a/after'],
    [graph({ a: { ...constant, after: [7] } }), 'shape /nodes/a/after/0'],
    [graph({ a: { ...constant, join: 0 } }), 'shape /nodes/a/join'],
    [graph({ a: { ...constant, join: 'most' } }), 'shape /nodes/a/join'],
    [graph({ a: { ...constant, on_error: 'ignore' } }), 'shape /nodes/a/on_error'],
    [graph({ a: { ...constant, retry: { max_attempts: 0 } } }), 'shape /nodes/a/retry/max_attempts'],
    [graph({ a: { ...constant, retry: { max_attempts: 1001 } } }), 'shape /nodes/a/retry/max_attempts'],
    [graph({ a: { ...constant, retry: { attempts: 3 } } }), 'unknown_key /nodes/a/retry/attempts'],
    [graph({ a: { ...constant, when: '' } }), 'shape /nodes/a/when'],
    [graph({ a: { ...constant, timeout: true } }), 'shape /nodes/a/timeout'],
    [graph({ item: constant }), 'bad_id /nodes/item'],
    [graph({ a: { type: 'constant', params: { value: Infinity } } }), 'shape /nodes/a/params/value'],
    [graph({ a: { type: 'constant', params: { value: new Date(0) } } }), 'shape /nodes/a/params/value'],
    [JSON.parse('{"holdfast":1,"id":"g","nodes":{},"ui":{"__proto__":{}}}'), 'unknown_key /ui/__proto__'],
  ])('%j gives %s', (document, expected) => {
    expect(briefly(check(document))).toContain(expected);
  });

  it('says each of these in one sentence that names the key', () => {
    const messages = check(graph({ a: { ...constant, timeout: 'soon', join: 'most', retry: { backoff: 0 } } }));
    expect(messages.map(({ message }) => message)).toEqual([
      '`join` must be "all", "any" or a whole number from 1.',
      '`timeout` is not a duration: a number of seconds, or "500ms", "30s", "5m", "1h".',
      '`backoff` must be at least 1.',
    ]);
  });

  it('checks the well-formed parts of a malformed node, and the other nodes, to the end', () => {
    const mistakes = checkNodes({
      broken: { type: 'sma', params: { perod: 3 }, after: 'x', inputs: { values: 'nowhere.closes' }, extra: 1 },
      fine: { type: 'threshold', params: { value: '1' } },
    });
    expect(briefly(mistakes).sort()).toEqual([
      'dangling_reference /nodes/broken/inputs/values',
      'missing_field /nodes/broken',
      'missing_field /nodes/fine',
      'shape /nodes/broken/after',
      'unknown_field /nodes/broken/params/perod',
      'unknown_key /nodes/broken/extra',
    ]);
  });

  it('does not guess missing fields where params or inputs are malformed', () => {
    expect(briefly(checkNodes({ a: { type: 'sma', params: [] } }))).toEqual(['shape /nodes/a/params']);
    expect(briefly(checkNodes({ a: { type: 'candles', inputs: { symbol: 7 } } }))).toEqual([
      'shape /nodes/a/inputs/symbol',
    ]);
  });

  it('treats names of Object.prototype as ordinary names', () => {
    expect(checkNodes({ constructor: constant, a: fed('constructor.value') })).toEqual([]);
    expect(briefly(checkNodes({ a: { type: 'toString' } }))).toEqual(['unknown_kind /nodes/a/type']);
    expect(briefly(checkNodes({ a: fed('valueOf.x') }))).toEqual(['dangling_reference /nodes/a/inputs/value']);
    const fields = { type: 'notify', params: { constructor: 1 }, inputs: { valueOf: 'c.value' } };
    expect(briefly(checkNodes({ c: constant, a: fields }))).toEqual([
      'unknown_field /nodes/a/params/constructor',
      'unknown_field /nodes/a/inputs/valueOf',
    ]);
    expect(briefly(checkNodes({ c: constant, a: fed('c.hasOwnProperty') }))).toEqual([
      'unknown_output /nodes/a/inputs/value',
    ]);
  });

  it.each([
    [
      'a value inside itself',
      () => {
        const loop: unknown[] = [];
        loop.push(loop, loop);
        return loop;
      },
    ],
    [
      'shared values that multiply',
      () => {
        let value: unknown = 'xxxxxxxxxx';
        for (let level = 0; level < 40; level += 1) value = [value, value];
        return value;
      },
    ],
    ['characters of several bytes', () => '€'.repeat(400_000)],
    [
      'nesting',
      () => {
        let value: unknown = 0;
        for (let level = 0; level < 100; level += 1) value = [value];
        return value;
      },
    ],
    ['half a million values', () => Array.from({ length: 600_000 }, () => 0)],
    ['a list of which only the length is there', () => new Array<unknown>(1_000_000_000)],
  ])('stops at its limits: %s', (_, make) => {
    expect(briefly(check(graph({}, { ui: make() })))).toEqual(['too_large ']);
  });

  it.each([
    ['plain texts', { a: 'b', list: ['c', 'd'] }],
    ['texts that JSON escapes', { 'a"b': '\\\n\u0001"', c: '\ud800' }],
    ['characters of several bytes', { ключ: '€', b: '😀' }],
    ['numbers and words', [0, -0, 0.1, 1e21, -1e-7, true, false, null]],
    ['what is empty', [[], {}, [[]], { a: {} }, '']],
    ['a list with holes', [new Array<unknown>(3), Object.assign([1], { length: 3 })]],
  ])('takes a document of 1 MiB as JSON, and not a byte more: %s', (_, value) => {
    const padded = (length: number) => graph({}, { ui: [value, 'x'.repeat(length)] });
    const room = 1_048_576 - Buffer.byteLength(JSON.stringify(padded(0)));
    expect(check(padded(room))).toEqual([]);
    expect(briefly(check(padded(room + 1)))).toEqual(['too_large ']);
  });

  it('takes values nested 64 deep', () => {
    const nestedList = (depth: number): unknown => (depth === 0 ? [] : [nestedList(depth - 1)]);
    expect(check(graph({}, { ui: nestedList(63) }))).toEqual([]);
    expect(briefly(check(graph({}, { ui: nestedList(64) })))).toEqual(['too_large ']);
    const filled = (depth: number): unknown => (depth === 0 ? 'x' : [filled(depth - 1)]);
    expect(check(graph({}, { ui: filled(63) }))).toEqual([]);
    expect(briefly(check(graph({}, { ui: filled(64) })))).toEqual(['too_large ']);
  });
});

describe('fields', () => {
  it('accepts a default, a literal and a reference', () => {
    const nodes = { b: bars, m: { type: 'sma', params: { period: 3 }, inputs: { values: 'b.closes' } } };
    const verdict = validateGraph(graph(nodes), sampleCatalogue);
    expect(verdict).toEqual({ graph: graph(nodes), mistakes: [] });
  });

  it('says how to write money that was written as a number', () => {
    const [mistake] = checkNodes({ a: { type: 'threshold', params: { value: '1', min: 0.5 } } });
    expect(mistake?.message).toBe('`min` is money, a price or a quantity, so it must be a text: "0.5", not 0.5.');
  });

  it('takes a formula only from params', () => {
    const nodes = { c: constant, a: { type: 'if', inputs: { condition: 'c.value' } }, b: { type: 'if' } };
    expect(checkNodes(nodes).map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'missing_field: The kind if needs `condition` in params.',
      'type_mismatch: `condition` is a formula, which must be written in params.',
    ]);
  });

  it('checks the formula of `when` with the check of the kind `if`', () => {
    expect(briefly(checkNodes({ a: { ...constant, when: '1 &&& 2' } }))).toEqual(['bad_field /nodes/a/when']);
    const withoutIf = new Map([...sampleCatalogue].filter(([type]) => type !== 'if'));
    const verdict = validateGraph(graph({ a: { ...constant, when: '1 > 0' } }), withoutIf);
    expect(briefly(verdict.mistakes)).toEqual(['unknown_kind /nodes/a/when']);
  });
});

describe('references', () => {
  it.each([
    ['c.value.anything.at.all', 'constant', undefined],
    ['b.closes', 'constant', undefined],
    ['b.closes.0', 'threshold', undefined],
    ['b.closes.length', 'constant', undefined],
    ['b.rows.0.close', 'threshold', undefined],
    ['b.meta.tick', 'threshold', undefined],
    ['m.value', 'threshold', undefined],
    ['m.value', 'notify', undefined],
    ['b.closes.x', 'threshold', 'unknown_output'],
    ['b.closes.01', 'threshold', 'unknown_output'],
    ['b.closes.0.x', 'threshold', 'unknown_output'],
    ['b.closes.length', 'threshold', 'type_mismatch'],
    ['m.value.x', 'threshold', 'unknown_output'],
    ['m.vlaue', 'threshold', 'unknown_output'],
    ['t.pass', 'threshold', 'unknown_output'],
    ['b.closes', 'threshold', 'type_mismatch'],
    ['b.closes', 'notify', 'type_mismatch'],
    ['b.count', 'candles', undefined],
    ['input.x', 'threshold', 'unknown_input'],
    ['m', 'threshold', 'bad_reference'],
    ['b', 'threshold', 'bad_reference'],
    ['t', 'threshold', 'bad_reference'],
    ['nobody', 'threshold', 'bad_reference'],
    ['m..value', 'threshold', 'bad_reference'],
    ['', 'threshold', 'bad_reference'],
  ])('%j feeding a %s gives %s', (reference, type, code) => {
    const [field, params] = (
      {
        constant: ['value', {}],
        threshold: ['value', { min: '1' }],
        notify: ['message', {}],
        candles: ['limit', { symbol: 'x' }],
      } as const
    )[type as 'constant'] as readonly [string, object];
    const m = { type: 'sma', params: { period: 2, values: ['1'] } };
    const mistakes = checkNodes({
      c: constant,
      b: bars,
      m,
      t: test,
      a: { type, params, inputs: { [field]: reference } },
    });
    expect(mistakes.map((each) => each.code)).toEqual(code === undefined ? [] : [code]);
  });

  it('may name any ending in `after`, and nothing else', () => {
    const nodes = { t: test, a: after('t', 't.success', 't.pass'), b: after('t.error'), c: after('t.finished') };
    expect(checkNodes(nodes)).toEqual([]);
    expect(briefly(checkNodes({ ...nodes, d: after('t.pass.x', 't.maybe', 'u') }))).toEqual([
      'bad_reference /nodes/d/after/0',
      'unknown_output /nodes/d/after/1',
      'dangling_reference /nodes/d/after/2',
    ]);
  });

  it('are checked in templates, formulas and `when`', () => {
    const nodes = {
      c: constant,
      tell: {
        type: 'notify',
        params: { message: '{{c.value}} {{d.value}} {{ c.vlaue }} {{}}' },
        when: 'c.value > e.x',
      },
      judge: { type: 'if', params: { condition: "f.x > 1 && 'g.x' == c.valu" } },
    };
    expect(briefly(checkNodes(nodes))).toEqual([
      'dangling_reference /nodes/tell/params/message',
      'unknown_output /nodes/tell/params/message',
      'bad_reference /nodes/tell/params/message',
      'dangling_reference /nodes/tell/when',
      'dangling_reference /nodes/judge/params/condition',
      'unknown_output /nodes/judge/params/condition',
    ]);
  });

  it('to a node of unknown kind are not judged', () => {
    expect(briefly(checkNodes({ x: { type: 'nobody_knows' }, a: fed('x.y'), b: after('x.z') }))).toEqual([
      'unknown_kind /nodes/x/type',
    ]);
    expect(briefly(checkNodes({ c: constant, x: { type: 'nobody_knows', inputs: { a: 'c.value' } } }))).toHaveLength(1);
  });
});

describe('triggers', () => {
  it('share one overlap policy, whose default is skip', () => {
    const every = { type: 'schedule', every: '1m' };
    const overlap = { ...every, overlap: 'allow_all' };
    expect(check(graph({}, { triggers: { a: every, b: { ...every, overlap: 'skip' } } }))).toEqual([]);
    expect(check(graph({}, { triggers: { a: overlap, b: overlap } }))).toEqual([]);
    expect(briefly(check(graph({}, { triggers: { a: every, b: overlap, c: every } })))).toEqual([
      'bad_trigger /triggers/b/overlap',
    ]);
  });
});
