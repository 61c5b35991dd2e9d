import { describe, expect, it } from '@jest/globals';
import { kindCatalogue } from '../../src/activities/kinds';
import { validateGraph } from '../../src/graph/validate';

type Nodes = Record<string, unknown>;

const check = (nodes: Nodes, more: object = {}) =>
  validateGraph({ holdfast: 1, id: 'g', nodes, ...more }, kindCatalogue).mistakes;
const told = (nodes: Nodes, more?: object) =>
  check(nodes, more).map(({ code, path, suggestion }) =>
    [code, path, ...(suggestion === undefined ? [] : [suggestion])].join(' '),
  );
const messages = (nodes: Nodes, more?: object) => check(nodes, more).map(({ message }) => message);

const value = (of: unknown) => ({ type: 'constant', params: { value: of } });
const fed = (reference: string) => ({ type: 'constant', inputs: { value: reference } });
const map = (nodes: Nodes, rest: object = {}, outputs: object = {}) => ({
  type: 'map',
  params: { items: [1, 2] },
  body: { nodes, outputs },
  ...rest,
});
const repeat = (nodes: Nodes, rest: object = {}, outputs: object = {}) => ({
  type: 'repeat',
  params: { max_iterations: 3 },
  body: { nodes, outputs },
  ...rest,
});
const sub = (nodes: Nodes, rest: object = {}, outputs: object = {}) => ({
  type: 'subgraph',
  body: { nodes, outputs },
  ...rest,
});

describe('the body of a loop', () => {
  it('sees its item, its own nodes, those around it, and the start inputs', () => {
    const inner = repeat(
      { a: fed('item.last.sum'), b: fed('item.parent.value.price'), c: fed('far.value'), d: fed('input.x') },
      { while: 'a.value < item.index && far.value > 1 && input.x > 2' },
      { sum: 'a.value', at: 'item.index' },
    );
    const nodes = { far: value('1'), each: map({ price: fed('item.value'), inner }, {}, { p: 'price.value' }) };
    expect(told(nodes, { inputs: { x: { type: 'decimal' } } })).toEqual([]);
  });

  it.each([
    ['item.vlaue', 'unknown_output /nodes/each/body/nodes/a/inputs/value item.value'],
    ['item.last.x', 'unknown_output /nodes/each/body/nodes/a/inputs/value'],
    ['item.index.x', 'unknown_output /nodes/each/body/nodes/a/inputs/value'],
    ['item.parent.value', 'bad_scope /nodes/each/body/nodes/a/inputs/value'],
    ['item.parent', 'bad_scope /nodes/each/body/nodes/a/inputs/value'],
    ['nowhere.x', 'dangling_reference /nodes/each/body/nodes/a/inputs/value'],
    ['frist.value', 'dangling_reference /nodes/each/body/nodes/a/inputs/value first'],
    ['input.x', 'unknown_input /nodes/each/body/nodes/a/inputs/value'],
  ])('of map: %s gives %s', (reference, expected) => {
    expect(told({ first: value(1), each: map({ a: fed(reference) }) })).toEqual([expected]);
  });

  it.each([
    ['item.value', 'unknown_output'],
    ['item.last', undefined],
    ['item.last.sum', undefined],
    ['item.last.smu', 'unknown_output item.last.sum'],
    ['item.parent.index', undefined],
    ['item.parent.parent.index', 'bad_scope'],
    ['item.parent.last.x', 'unknown_output'],
    ['item.parent.indx', 'unknown_output item.parent.index'],
  ])('of repeat inside map: %s gives %s', (reference, expected) => {
    const inner = repeat({ a: fed(reference) }, {}, { sum: 'a.value' });
    const found = check({ each: map({ inner }) }).map(({ code, suggestion = '' }) => `${code} ${suggestion}`.trim());
    expect(found).toEqual(expected === undefined ? [] : [expected]);
  });

  it('may hold an id that stands around it as well', () => {
    expect(told({ a: value(1), each: map({ a: fed('item.value'), b: fed('a.value') }) })).toEqual([]);
  });

  it('waits in `after` for nodes of its own alone', () => {
    expect(told({ a: value(1), each: map({ b: { ...value(1), after: ['a', 'item', 'input.x', 'c'] } }) })).toEqual([
      'bad_scope /nodes/each/body/nodes/b/after/0',
      'bad_scope /nodes/each/body/nodes/b/after/1',
      'bad_scope /nodes/each/body/nodes/b/after/2',
      'dangling_reference /nodes/each/body/nodes/b/after/3 b',
    ]);
  });

  it('makes the loop wait for what it takes from around it', () => {
    const nodes = { each: map({ a: fed('late.value') }), late: fed('each.count') };
    expect(check(nodes)).toMatchObject([
      { code: 'cycle', path: '/nodes/each', message: expect.stringContaining('each → late → each') },
    ]);
    expect(told({ each: map({ a: fed('each.count') }) })).toEqual(['cycle /nodes/each']);
    const t = { type: 'threshold', params: { value: '1', min: '2' } };
    const torn = {
      t,
      yes: { ...value(1), after: ['t.pass'] },
      each: map({ a: fed('yes.value') }, { after: ['t.fail'] }),
    };
    expect(told(torn)).toEqual(['unreachable_node /nodes/each']);
    const deep = { each: map({ again: repeat({ a: fed('late.value') }) }), late: fed('each.count') };
    expect(told(deep)).toEqual(['cycle /nodes/each']);
  });

  it('is checked like a graph of its own: cycles, joins, branches', () => {
    const t = { type: 'threshold', params: { value: '1', min: '2' } };
    const nodes = {
      a: { ...value(1), after: ['b'] },
      b: { ...value(1), after: ['a'] },
      t,
      c: { ...value(1), after: ['t.pass', 't.fail'] },
      d: { ...fed('around.value'), join: 1 },
    };
    expect(check({ around: value(1), each: map(nodes) }).map(({ code, node_id }) => `${code} ${node_id}`)).toEqual([
      'join_too_large each/d',
      'cycle each/a',
      'unreachable_node each/c',
    ]);
  });

  it('has a `while` that is checked like a formula of its own', () => {
    const t = { type: 'threshold', params: { value: '1', min: '2' } };
    const body = { t, yes: { ...value(1), after: ['t.pass'] }, no: { ...value(1), after: ['t.fail'] } };
    expect(told({ r: repeat(body, { while: 'yes.value > no.value' }) })).toEqual(['unreachable_node /nodes/r/while']);
    expect(told({ r: repeat({ a: value(1) }, { while: 'a.vlaue > 1' }) })).toEqual([
      'unknown_output /nodes/r/while a.value',
    ]);
    expect(told({ r: repeat({ a: value(1) }, { while: 'a' }) })).toEqual(['bad_field /nodes/r/while']);
    expect(told({ r: repeat({ a: value(1) }, { while: '' }) })).toEqual(['shape /nodes/r/while']);
  });

  it('of a kind nobody declares is looked into all the same', () => {
    expect(told({ each: { type: 'mpa', body: { nodes: { a: fed('item.value'), b: fed('c.x') } } } })).toEqual([
      'unknown_kind /nodes/each/type map',
      'dangling_reference /nodes/each/body/nodes/b/inputs/value a',
    ]);
  });
});

describe('outside of a loop', () => {
  it('there is no item, and nothing of a body but its outputs', () => {
    const nodes = { each: map({ price: value(1) }), a: fed('item.value'), b: fed('price.value') };
    expect(told(nodes)).toEqual(['bad_scope /nodes/a/inputs/value', 'bad_scope /nodes/b/inputs/value']);
    expect(messages(nodes)).toEqual([
      '`item` is known in the body of a `map` or a `repeat` alone.',
      '`price` stands in the body of `each`, of which only the outputs can be seen from here.',
    ]);
    expect(told({ each: map({ price: value(1) }), a: { ...value(1), after: ['price'] } })).toEqual([
      'bad_scope /nodes/a/after/0',
    ]);
  });
});

describe('a subgraph', () => {
  it('sees its open fields as inputs and nothing from around it', () => {
    const body = { a: fed('input.price'), b: fed('input.prise'), c: fed('far.value'), d: fed('item.value') };
    const s = sub(body, { inputs: { price: 'far.value' }, params: { size: '1' } });
    expect(told({ far: value(1), each: map({ s }) })).toEqual([
      'unknown_input /nodes/each/body/nodes/s/body/nodes/b/inputs/value input.price',
      'bad_scope /nodes/each/body/nodes/s/body/nodes/c/inputs/value',
      'bad_scope /nodes/each/body/nodes/s/body/nodes/d/inputs/value',
    ]);
    expect(messages({ far: value(1), s: sub({ a: fed('far.value'), b: fed('input.x') }) })).toEqual([
      "`far` stands outside the subgraph: give its output as a field of the subgraph's node, and refer to `input.` and that name.",
      'The subgraph `s` is given no field `x`.',
    ]);
  });

  it('gives the outputs of its body, or of another graph whatever that gives', () => {
    const s = sub({ a: value(1) }, {}, { fee: 'a.value' });
    expect(told({ s, b: fed('s.fee'), c: fed('s.execution_id'), d: fed('s.fees') })).toEqual([
      'unknown_output /nodes/d/inputs/value s.fee',
    ]);
    const named = { type: 'subgraph', params: { workflow: 'other', size: 1 } };
    expect(told({ s: named, b: fed('s.whatever.deep') })).toEqual([]);
    expect(told({ s: { type: 'subgraph', body: 7 }, b: fed('s.x') })).toContain('unknown_output /nodes/b/inputs/value');
  });

  it('has a body or names a graph', () => {
    expect(told({ s: { type: 'subgraph' } })).toEqual(['missing_body /nodes/s']);
    expect(told({ s: sub({ a: value(1) }, { params: { workflow: 'other' } }) })).toEqual([
      'unexpected_body /nodes/s/body',
    ]);
    expect(told({ s: sub({}) })).toEqual(['missing_body /nodes/s/body']);
    expect(told({ s: { type: 'subgraph', params: { workflow: 'a b' } } })).toEqual([
      'bad_field /nodes/s/params/workflow',
    ]);
    expect(told({ s: sub({ a: value(1) }, { params: { 'a b': 1 } }) })).toEqual(['bad_id /nodes/s/params/a b']);
    expect(told({ s: sub({ a: value(1) }, {}, { execution_id: 'a.value' }) })).toEqual([
      'bad_output /nodes/s/body/outputs/execution_id',
    ]);
  });
});

describe('bodies', () => {
  it('stand on the kinds that take one, with nodes in them', () => {
    const nodes = {
      a: { ...value(1), body: { nodes: { b: value(1) } } },
      m: map({}),
      r: { type: 'repeat', params: { max_iterations: 1 } },
    };
    expect(told(nodes)).toEqual([
      'unexpected_body /nodes/a/body',
      'missing_body /nodes/m/body',
      'missing_body /nodes/r',
    ]);
  });

  it('have keys and shapes of their own', () => {
    const nodes = {
      m: { type: 'map', params: { items: [] }, body: { nodes: { '1st': value(1) }, notes: {}, outputs: { x: 7 } } },
    };
    expect(told(nodes).sort()).toEqual([
      'bad_id /nodes/m/body/nodes/1st',
      'shape /nodes/m/body/outputs/x',
      'unknown_key /nodes/m/body/notes nodes',
    ]);
    const bad = {
      m: {
        ...map({ a: value(1) }),
        rate_limit: { cals: 1, per: 1 },
        body: { nodes: { a: { ...value(1), retry: { max: 1, mx: 2 } } } },
      },
    };
    expect(told(bad)).toEqual(
      expect.arrayContaining([
        'unknown_key /nodes/m/rate_limit/cals calls',
        'unknown_key /nodes/m/body/nodes/a/retry/mx max',
      ]),
    );
  });

  it('count towards the most nodes there may be', () => {
    const many = Object.fromEntries(Array.from({ length: 5_001 }, (_, at) => [`n${at}`, value(1)]));
    expect(told({ ...many, each: map(many) })).toEqual(['too_many_nodes /nodes']);
  });
});

describe('outputs', () => {
  it('are data references with names that can be referred to', () => {
    const outputs = {
      good: 'a.value',
      deep: 'a.value.x',
      input: 'input.x',
      'a b': 'a.value',
      short: 'a',
      odd: '!',
      gone: 'b.value',
    };
    expect(told({ a: value(1) }, { outputs, inputs: { x: { type: 'any' } } })).toEqual([
      'bad_output /outputs/a b',
      'bad_output /outputs/short a.value',
      'bad_output /outputs/odd',
      'dangling_reference /outputs/gone a',
    ]);
  });
});

describe('declared inputs and variables', () => {
  it('are typed and referred to by name', () => {
    const inputs = {
      size: { type: 'decimal', default: '1' },
      n: { type: 'integer', default: 1.5 },
      bad: { type: 'money' },
    };
    const nodes = {
      a: { type: 'threshold', params: { min: '1' }, inputs: { value: 'input.n' } },
      b: { type: 'threshold', params: { min: '1' }, inputs: { value: 'input.size' } },
      c: fed('input.size.x'),
      d: fed('input.sise'),
    };
    expect(told(nodes, { inputs })).toEqual([
      'shape /inputs/bad/type',
      'bad_default /inputs/n/default',
      'type_mismatch /nodes/a/inputs/value',
      'unknown_output /nodes/c/inputs/value',
      'unknown_input /nodes/d/inputs/value input.size',
    ]);
    expect(told({}, { inputs: { a: { type: 'text', defualt: 'x' }, b: 7 } })).toEqual([
      'unknown_key /inputs/a/defualt default',
      'shape /inputs/b',
    ]);
  });

  it('are set and got by a name that is written out', () => {
    const nodes = {
      a: { type: 'set', params: { name: 'best', value: 1 } },
      b: { type: 'get', params: { name: 'bst' } },
      c: { type: 'get', params: { name: '{{a.value}}' } },
      d: { type: 'get', inputs: { name: 'a.value' } },
      e: { type: 'get', params: { name: 7 } },
    };
    expect(told(nodes, { variables: { best: null } })).toEqual([
      'unknown_variable /nodes/b/params/name best',
      'bad_field /nodes/c/params/name',
      'bad_field /nodes/d/inputs/name',
      'bad_field /nodes/e/params/name',
      'type_mismatch /nodes/d/inputs/name',
    ]);
  });
});

describe('fields', () => {
  it('that are fine one by one are checked together', () => {
    const nodes = {
      a: { type: 'threshold', params: { value: '1' } },
      b: { type: 'threshold', params: { value: '1', min: '3', max: '2' } },
      c: { type: 'threshold', params: { min: '3' }, inputs: { value: 'x.value', max: 'x.value' } },
      d: { type: 'wait' },
      e: { type: 'approval', params: { on_timeout: 'fail' } },
      f: { type: 'and' },
      x: value('5'),
      y: { type: 'wait_for_signal', params: { name: 'n' }, inputs: { on_timeout: 'x.value' } },
    };
    expect(told(nodes)).toEqual([
      'bad_fields /nodes/a',
      'bad_fields /nodes/b/params/min',
      'bad_fields /nodes/d',
      'bad_fields /nodes/e/params/on_timeout',
      'bad_fields /nodes/f',
      'bad_fields /nodes/y/inputs/on_timeout',
      'type_mismatch /nodes/y/inputs/on_timeout',
    ]);
  });

  it('fed by a literal of another node are checked like literals', () => {
    const judge = (reference: string) => ({ type: 'threshold', params: { min: '1' }, inputs: { value: reference } });
    const nodes = {
      n: value(8),
      deep: value({ prices: ['1', 2, 'x'.repeat(60)] }),
      text: value('{{n.value}}'),
      a: judge('n.value'),
      b: judge('deep.value.prices.0'),
      c: judge('deep.value.prices.1'),
      d: judge('text.value'),
      e: judge('deep.value.nothing'),
      f: judge('deep.value.prices.2'),
    };
    expect(told(nodes)).toEqual([
      'type_mismatch /nodes/a/inputs/value',
      'type_mismatch /nodes/c/inputs/value',
      'type_mismatch /nodes/f/inputs/value',
    ]);
    expect(messages(nodes)[0]).toBe('`value` is given 8 by `n.value`: must be a decimal string such as "12.50".');
    expect(messages(nodes)[2]!.length).toBeLessThan(150);
  });

  it('that name branches make them, and are written in params', () => {
    const choose = { type: 'switch', params: { cases: { buy: 'b', sell: ['s', 1] } }, inputs: { value: 'x.value' } };
    const after = (...references: string[]) => ({ ...value(1), after: references });
    expect(told({ x: value(1), s: choose, a: after('s.buy'), b: after('s.default'), c: after('s.sel') })).toEqual([
      'unknown_output /nodes/c/after/0 s.sell',
    ]);
    expect(told({ x: value(1), s: choose, a: after('s.buy', 's.sell') })).toEqual(['unreachable_node /nodes/a']);
    expect(told({ x: value({}), s: { type: 'switch', inputs: { value: 'x.value', cases: 'x.value' } } })).toContain(
      'bad_field /nodes/s/inputs/cases',
    );
    expect(told({ s: { type: 'switch', params: { value: 1, cases: 7 } }, a: after('s.default') })).toEqual([
      'bad_field /nodes/s/params/cases',
    ]);
  });
});

describe('policies', () => {
  it('mean something for the kind they stand on', () => {
    const nodes = {
      a: {
        type: 'wait',
        params: { for: 1 },
        retry: {},
        timeout: 1,
        total_timeout: 5,
        task_queue: 'q',
        circuit_breaker: 'x',
        rate_limit: { calls: 1, per: 1 },
      },
      b: { ...value(1), rate_limit: { calls: 1, per: 1 }, circuit_breaker: 'x', task_queue: 'q', timeout: 1 },
      c: {
        type: 'notify',
        params: { message: 'x' },
        rate_limit: { calls: 1, per: 1 },
        circuit_breaker: 'x',
        task_queue: 'q',
      },
    };
    expect(told(nodes)).toEqual([
      'bad_policy /nodes/a/timeout',
      'bad_policy /nodes/a/total_timeout',
      'bad_policy /nodes/a/retry',
      'bad_policy /nodes/a/circuit_breaker',
      'bad_policy /nodes/a/rate_limit',
      'bad_policy /nodes/a/task_queue',
      'bad_policy /nodes/b/circuit_breaker',
      'bad_policy /nodes/b/rate_limit',
    ]);
  });

  it('say how old what a node gave may be, but not of what only computes or runs at a halt', () => {
    const notify = { type: 'notify', params: { message: 'x' } };
    const nodes = {
      a: { ...value(1), max_age: 5 },
      b: { ...notify, max_age: '5m' },
      c: { ...notify, max_age: 'long' },
    };
    const on_halt = { nodes: { d: { ...notify, max_age: 5 } } };
    expect(told(nodes, { on_halt, defaults: { max_age: 5 } })).toEqual([
      'unknown_key /defaults/max_age',
      'shape /nodes/c/max_age',
      'bad_policy /on_halt/nodes/d/max_age',
      'bad_policy /nodes/a/max_age',
    ]);
    const graph = { holdfast: 1, id: 'g', nodes: { a: { ...value(1), max_age: 5 } } };
    expect(validateGraph(graph, kindCatalogue).mistakes[0]).toMatchObject({
      node_id: 'a',
      message: expect.stringContaining('write it at the nodes that read that'),
    });
  });

  it('do not contradict themselves', () => {
    const notify = { type: 'notify', params: { message: 'x' } };
    const nodes = {
      a: { ...notify, timeout: 10, total_timeout: 5, retry: { initial: 10, max: 1 } },
      b: { ...notify, total_timeout: 5 },
    };
    const defaults = { timeout: '1m', total_timeout: '30s', retry: { initial: 2, max: 1 } };
    expect(told(nodes, { defaults })).toEqual([
      'bad_policy /defaults/total_timeout',
      'bad_policy /defaults/retry/max',
      'bad_policy /nodes/a/total_timeout',
      'bad_policy /nodes/a/retry/max',
    ]);
    expect(told({}, { defaults: { tiemout: 1, retry: { mx: 1 } } })).toEqual([
      'unknown_key /defaults/retry/mx max',
      'unknown_key /defaults/tiemout timeout',
    ]);
  });
});

describe('on_halt', () => {
  it('stands apart from the graph', () => {
    const notify = { type: 'notify', params: { message: '{{ask.value}} {{input.who}}' } };
    const nodes = { ask: value(1), tell: notify, pause: { type: 'wait', params: { for: 1 } } };
    const more = { inputs: { who: { type: 'text' } } };
    expect(told({ a: value(1) }, { ...more, on_halt: { nodes } })).toEqual([]);
    expect(
      told({ a: value(1) }, { on_halt: { nodes: { tell: fed('a.value'), b: { ...value(1), after: ['a'] } } } }),
    ).toEqual(['bad_scope /on_halt/nodes/tell/inputs/value', 'bad_scope /on_halt/nodes/b/after/0']);
  });

  it('runs no loops, asks nobody, and is not empty', () => {
    const nodes = { each: map({ a: fed('nowhere.x') }), get: { type: 'get', params: { name: 'v' } } };
    expect(told({}, { variables: { v: 1 }, on_halt: { nodes } })).toEqual([
      'bad_on_halt /on_halt/nodes/each/type',
      'bad_on_halt /on_halt/nodes/get/type',
    ]);
    expect(told({}, { on_halt: { nodes: {} } })).toEqual(['bad_on_halt /on_halt']);
    expect(told({}, { on_halt: { nodes: { a: value(1) }, node: {} } })).toEqual(['unknown_key /on_halt/node nodes']);
    expect(told({}, { on_halt: { nodes: { a: { ...value(1), tmeout: 1 } } } })).toEqual([
      'unknown_key /on_halt/nodes/a/tmeout timeout',
    ]);
    expect(check({}, { on_halt: { nodes: { a: { type: 'x' } } } })[0]?.node_id).toBe('on_halt/a');
  });
});

describe('texts that were made to take long', () => {
  it.each([
    ['a template of spaces', { type: 'notify', params: { message: `{{${' '.repeat(300_000)}` } }],
    ['a formula of quotes', { ...value(1), when: "'\\".repeat(150_000) }],
    ['braces', { type: 'notify', params: { message: '{{'.repeat(200_000) } }],
  ])('do not: %s', (_, node) => {
    const begin = process.cpuUsage();
    check({ a: node });
    const { user, system } = process.cpuUsage(begin);
    expect(user + system).toBeLessThan(2_000_000);
  });
});
