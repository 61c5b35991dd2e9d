import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { defineNode, field, output } from '../../src/activities/define-node';
import { HoldfastError } from '../../src/errors';
import { fails, hangs, testGraph, type TestGraphOptions } from '../../src/testing';

const graph = (nodes: Record<string, unknown>, more: object = {}) => ({ holdfast: 1, id: 'tested', nodes, ...more });
const test = (nodes: Record<string, unknown>, fakes: TestGraphOptions['nodes'] = {}, more: object = {}) =>
  testGraph(graph(nodes, more), { nodes: fakes });

const price = { type: 'ticker', params: { venue: 'paper_binance', symbol: 'BTC/BUSD' } };
const candles = { type: 'candles', params: { venue: 'v', symbol: 's', limit: 10 } };
const tell = (message: string, more: object = {}) => ({ type: 'notify', params: { message }, ...more });

/** The code and the sentence a promise or a call fails with. */
async function refusal(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof HoldfastError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing was refused';
}

describe('a graph under test', () => {
  it('runs pure nodes for real and the others as faked', async () => {
    const run = test(
      {
        price,
        high: { type: 'threshold', params: { min: '100' }, inputs: { value: 'price.last' } },
        yes: tell('high: {{price.last}}', { after: ['high.pass'] }),
        no: tell('low', { after: ['high.fail'] }),
      },
      { price: { outputs: { last: '123.5' } }, yes: {}, no: {} },
      { outputs: { last: 'price.last' } },
    );
    expect(await run.completed()).toEqual({ last: '123.5' });
    expect(run.state('high')).toMatchObject({ state: 'completed', branch: 'pass' });
    expect(run.state('no')).toMatchObject({ state: 'skipped', reason: 'high took pass, not fail' });
    expect(run.calls('yes').map(({ fields }) => fields)).toEqual([{ message: 'high: 123.5' }]);
  });

  it('retries on driven time, by the policy of the node', async () => {
    const run = test(
      { price: { ...price, retry: { max_attempts: 3, initial: '10s', backoff: 3 } } },
      { price: fails('ConnectionError', 'refused', { times: 2, then: { outputs: { last: '1' } } }) },
    );
    await run.completed();
    expect(run.calls('price').map(({ attempt, at }) => [attempt, at])).toEqual([
      [1, '2026-01-01T00:00:00.000Z'],
      [2, '2026-01-01T00:00:10.000Z'],
      [3, '2026-01-01T00:00:40.000Z'],
    ]);
    expect(run.state('price')).toMatchObject({ state: 'completed', attempt: 3 });
  });

  it('fails as an execution fails: at once where no retry helps, else when the attempts are used up', async () => {
    const refused = test({ price }, { price: fails('InvalidInput', 'no such market') });
    expect(await refusal(() => refused.completed())).toBe('NodeFailed: price: no such market');
    expect(refused.calls('price')).toHaveLength(1);
    const down = test({ price }, { price: fails('ServiceError', 'down') });
    expect(await down.failed()).toEqual({ node_id: 'price', error: 'down', error_type: 'ServiceError' });
    expect(down.calls('price')).toHaveLength(3);
  });

  it('ends an attempt at the timeout of the node, and the node at its total one', async () => {
    const run = test({ price: { ...price, timeout: 5, retry: { max_attempts: 1 } } }, { price: hangs() });
    expect(await run.failed()).toMatchObject({ error_type: 'TimeoutError', error: 'no end within 5 s' });
    expect(run.now).toBe('2026-01-01T00:00:05.000Z');
    const slow = test({ price: { ...price, total_timeout: '7s' } }, { price: { takes: '10s' } });
    expect(await slow.failed()).toMatchObject({ error: 'no end within total_timeout' });
    expect(slow.now).toBe('2026-01-01T00:00:07.000Z');
  });

  it('gives fields to a fake as a worker does: checked, and with their defaults', async () => {
    const run = test({ bars: candles }, { bars: { outputs: { closes: ['1', '2'] } } });
    await run.completed();
    expect(Object.keys(run.calls('bars')[0]!.fields)).toEqual(expect.arrayContaining(['limit', 'symbol', 'venue']));
    const given = { type: 'wait_for_signal', params: { name: 'limit' } };
    const fed = { ...candles, params: { venue: 'v', symbol: 's' }, inputs: { limit: 'given.payload' } };
    const wrong = test({ given, bars: fed }, { bars: {} });
    await wrong.deliver('limit', '7');
    expect(await wrong.failed()).toMatchObject({ node_id: 'bars', error_type: 'InvalidInput' });
    expect(wrong.calls('bars')).toEqual([]);
  });

  it('keeps values too large to carry by reference, and shows them as they are', async () => {
    const closes = Array.from({ length: 9_000 }, (_, index) => `${index}.25`);
    const outputs = { all: 'bars.closes', last: 'bars.closes.8999' };
    const run = test(
      { bars: candles, said: tell('{{bars.closes.8999}}') },
      { bars: { outputs: { closes } }, said: {} },
      { outputs },
    );
    expect(await run.completed()).toEqual({ all: closes, last: '8999.25' });
    expect(run.calls('said')[0]!.fields).toEqual({ message: '8999.25' });
    expect(run.state('bars').outputs).toEqual({ closes });
  });
});

describe('time in a graph under test', () => {
  it('passes only as the test says', async () => {
    const run = test(
      { pause: { type: 'wait', params: { for: '5m' } }, said: tell('on', { after: ['pause'] }) },
      { said: {} },
    );
    await run.advance('4m');
    expect([run.state('pause').state, run.state('said').state]).toEqual(['waiting', 'pending']);
    await run.advance('1m');
    expect(run.state('said').state).toBe('completed');
    expect(run.now).toBe('2026-01-01T00:05:00.000Z');
  });

  it('starts at the instant it is told', async () => {
    const pause = { type: 'wait', params: { until: '2030-05-01T12:00:00Z' } };
    const run = testGraph(graph({ pause }), { now: '2030-05-01T11:59:00Z' });
    await run.completed();
    expect(run.state('pause').duration_ms).toBe(60_000);
  });

  it('brings an approval, or its deadline', async () => {
    const ask = {
      type: 'approval',
      params: { approvers: ['lead'], deadline: '15m', message: 'Buy at {{price.last}}?' },
    };
    const nodes = {
      price,
      ask,
      yes: tell('y', { after: ['ask.approved'] }),
      no: tell('n', { after: ['ask.rejected'] }),
    };
    const fakes = { price: { outputs: { last: '9' } }, yes: {}, no: {} };
    const run = test(nodes, fakes);
    await run.until('ask');
    expect(run.state('ask').waits_for).toMatchObject({ kind: 'approval', message: 'Buy at 9?' });
    expect(await refusal(() => run.approve('ask', { actor: 'stranger' }))).toBe(
      'Forbidden: stranger is not among the approvers of ask: lead.',
    );
    await run.approve('ask', { actor: 'ann', roles: ['lead'], comment: 'go' });
    expect(run.state('ask').outputs).toMatchObject({ decision: 'approved', actor: 'ann', comment: 'go' });
    expect(run.state('yes').state).toBe('completed');
    const rejected = test(nodes, fakes);
    await rejected.until('ask');
    await rejected.reject('ask', { actor: 'lead' });
    expect(rejected.state('no').state).toBe('completed');
    const late = test(nodes, fakes);
    await late.completed();
    expect([late.now, late.state('ask').branch]).toEqual(['2026-01-01T00:15:00.000Z', 'rejected']);
  });

  it('brings messages to those who wait, and keeps the others', async () => {
    const first = { type: 'wait_for_signal', params: { name: 'go' } };
    const run = test({ first, second: { ...first, after: ['first'] } }, {}, { outputs: { was: 'second.payload' } });
    await run.deliver('go', { n: 1 });
    expect([run.state('first').state, run.state('second').state]).toEqual(['completed', 'waiting']);
    await run.deliver('go', { n: 2 });
    expect(run.outputs).toEqual({ was: { n: 2 } });
    const early = test({ pause: { type: 'wait', params: { for: 1 } }, first: { ...first, after: ['pause'] } });
    await early.deliver('go', 3);
    await early.completed();
    expect(early.state('first').outputs).toEqual({ payload: 3 });
  });

  it('orders what happens at one instant as it is told, the same for the same seed', async () => {
    const ids = Array.from('abcdefgh');
    const set = (id: string) => ({ type: 'set', after: [id], params: { name: 'last', value: id } });
    const nodes = Object.fromEntries(
      ids.flatMap((id): [string, unknown][] => [
        [id, price],
        [`set_${id}`, set(id)],
      ]),
    );
    const last = { type: 'get', after: ids.map((id) => `set_${id}`), params: { name: 'last' } };
    const lastIn = async (order: 'fifo' | number) => {
      const document = graph({ ...nodes, last }, { variables: { last: '' }, outputs: { last: 'last.value' } });
      const run = testGraph(document, { nodes: Object.fromEntries(ids.map((id) => [id, {}])), order });
      return (await run.completed())['last'];
    };
    expect(await lastIn('fifo')).toBe('h');
    const drawn = await Promise.all(Array.from({ length: 12 }, (_, seed) => lastIn(seed)));
    expect(new Set(drawn).size).toBeGreaterThan(2);
    expect(await Promise.all(Array.from({ length: 12 }, (_, seed) => lastIn(seed)))).toEqual(drawn);
  });

  it('lets as many activities be out at once as an execution does', async () => {
    const nodes = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`n${index}`, price]));
    const run = test(nodes, Object.fromEntries(Object.keys(nodes).map((id) => [id, { takes: '10s' }])));
    await run.completed();
    expect(run.now).toBe('2026-01-01T00:00:20.000Z');
  });
});

describe('loops and subgraphs under test', () => {
  const markets = { type: 'constant', params: { value: ['a', 'b', 'c'] } };
  const body = {
    nodes: { price: { type: 'ticker', params: { venue: 'v' }, inputs: { symbol: 'item.value' } } },
    outputs: { last: 'price.last' },
  };

  it('fakes the nodes of every item, or of one', async () => {
    const each = { type: 'map', inputs: { items: 'markets.value' }, params: { on_item_error: 'continue' }, body };
    const run = test(
      { markets, each },
      {
        'each/price': ({ fields }) => ({ outputs: { last: fields['symbol'] === 'a' ? '1' : '3' } }),
        'each[1]/price': fails('DataUnavailable', 'no such market'),
      },
      { outputs: { results: 'each.results', errors: 'each.errors' } },
    );
    expect(await run.completed()).toEqual({
      results: [{ last: '1' }, null, { last: '3' }],
      errors: [{ index: 1, error: 'each[1]/price: no such market', error_type: 'DataUnavailable' }],
    });
    expect(run.state('each[1]/price')).toMatchObject({ state: 'failed', frame: 'each[1]' });
    expect(run.calls('each/price').map(({ key }) => key)).toEqual(['each[0]/price', 'each[1]/price', 'each[2]/price']);
    expect(run.calls('each[2]/price')).toHaveLength(1);
  });

  it('repeats with the time its waits take', async () => {
    const again = {
      type: 'repeat',
      params: { max_iterations: 10 },
      while: 'item.index < 2',
      body: { nodes: { pause: { type: 'wait', params: { for: '30s' } } } },
    };
    const run = test({ again }, {}, { outputs: { times: 'again.iterations' } });
    expect(await run.completed()).toEqual({ times: 3 });
    expect(run.now).toBe('2026-01-01T00:01:30.000Z');
  });

  it('runs the body of a subgraph, with its nodes under its key', async () => {
    const inner = {
      nodes: {
        ask: { type: 'approval' },
        fee: { type: 'math', params: { op: 'multiply', b: '2' }, inputs: { a: 'input.price' } },
      },
      outputs: { fee: 'fee.value' },
    };
    const child = { type: 'subgraph', inputs: { price: 'price.last' }, body: inner };
    const run = test({ price, child }, { price: { outputs: { last: '4' } } }, { outputs: { fee: 'child.fee' } });
    await run.until('child/ask', 'waiting');
    await run.approve('child/ask');
    expect(await run.completed()).toEqual({ fee: '8' });
    expect(run.state('child').outputs).toEqual({ fee: '8', execution_id: 'exec_tested_test.child' });
    const failing = test(
      { child: { type: 'subgraph', body: { nodes: { price } } } },
      { 'child/price': fails('InvalidInput', 'no') },
    );
    expect(await refusal(() => failing.completed())).toBe('NodeFailed: child: price: no');
  });

  it('takes a fake for a subgraph whose graph is deployed elsewhere', async () => {
    const child = { type: 'subgraph', params: { workflow: 'elsewhere', amount: '5' } };
    const nodes = { child, said: tell('{{child.result}}') };
    const run = test(nodes, { child: { outputs: { result: '7' } }, said: {} });
    await run.completed();
    expect(run.calls('child')[0]!.fields).toEqual({ workflow: 'elsewhere', amount: '5' });
    expect(run.calls('said')[0]!.fields).toEqual({ message: '7' });
    expect(await refusal(() => test(nodes, { said: {} }).completed())).toContain(
      '`child` runs the deployed graph elsewhere',
    );
  });
});

describe('a halt under test', () => {
  const nodes = { slow: price, flaky: price, after: tell('after', { after: ['slow', 'flaky'] }) };
  const fakes = { slow: { takes: '10s' }, flaky: fails('ConnectionError', 'refused', { times: 1 }), after: {} };
  const on_halt = { on_halt: { nodes: { told: tell('halted') } } };

  it('lets what runs end, takes back what waits for a retry, and runs what is for halts', async () => {
    const run = test(nodes, { ...fakes, 'on_halt/told': {} }, on_halt);
    await run.advance('500ms');
    await run.halt('odd prices');
    expect([run.isHalted, run.state('slow').state, run.state('flaky').state]).toEqual([true, 'running', 'pending']);
    expect(run.calls('on_halt/told')).toHaveLength(1);
    await run.advance('1m');
    expect([run.state('slow').state, run.state('after').state]).toEqual(['completed', 'pending']);
    expect(await refusal(() => run.completed())).toContain('nothing happens any more: it is halted: odd prices');
    await run.resume();
    await run.completed();
    expect(run.state('flaky')).toMatchObject({ state: 'completed', dispatch: 2 });
    expect(run.calls('after')).toHaveLength(1);
  });

  it('halts what its subgraphs run', async () => {
    const child = {
      type: 'subgraph',
      body: { nodes: { pause: { type: 'wait', params: { for: 5 } }, said: tell('x', { after: ['pause'] }) } },
    };
    const run = test({ child }, { 'child/said': {} });
    await run.advance(1);
    await run.halt();
    await run.advance(10);
    expect([run.state('child/pause').state, run.state('child/said').state]).toEqual(['completed', 'pending']);
    await run.resume();
    expect(run.state('child').state).toBe('completed');
  });

  it('reads again what is too old after it, and asks again who was asked for it', async () => {
    const run = test(
      {
        price: { ...price, max_age: '10s' },
        high: { type: 'threshold', params: { min: '100' }, inputs: { value: 'price.last' } },
        ask: { type: 'approval', after: ['high.pass'], params: { message: 'at {{price.last}}?' } },
        said: tell('{{price.last}}', { after: ['ask.approved'] }),
      },
      { price: ({ generation }) => ({ outputs: { last: generation === 0 ? '100' : '200' } }), said: {} },
    );
    await run.until('ask');
    await run.halt();
    await run.advance('10s');
    await run.resume();
    expect(run.state('ask').waits_for).toMatchObject({ message: 'at 100?' });
    await run.halt();
    await run.advance('1ms');
    await run.resume();
    expect(run.state('ask')).toMatchObject({ generation: 1, waits_for: { message: 'at 200?' } });
    await run.approve('ask');
    expect(run.calls('said').map(({ fields }) => fields)).toEqual([{ message: '200' }]);
    expect(run.calls('price')).toHaveLength(2);
  });

  it('fails what would start with what is too old and cannot be read again', async () => {
    const run = test(
      {
        price: { ...price, max_age: '10s' },
        high: { type: 'threshold', params: { min: '100' }, inputs: { value: 'price.last' } },
        said: tell('high', { after: ['high.pass'] }),
        pause: { type: 'wait', after: ['said'], params: { for: '1s' } },
        late: tell('late', { after: ['pause'] }),
      },
      { price: { outputs: { last: '100' } }, said: {}, late: {} },
    );
    await run.until('pause');
    await run.halt();
    await run.advance('1m');
    await run.resume();
    expect(await run.failed()).toMatchObject({ node_id: 'late', error_type: 'StaleInput' });
    expect([run.calls('price').length, run.calls('late').length]).toEqual([1, 0]);
  });

  it('knows how old what a subgraph was started with is, and what it gives', async () => {
    const body = {
      nodes: {
        pause: { type: 'wait', params: { for: '30s' } },
        half: { type: 'math', params: { op: 'divide', b: '2' }, inputs: { a: 'input.last' } },
        said: tell('{{input.last}}', { after: ['pause'] }),
      },
      outputs: { half: 'half.value' },
    };
    const child = { type: 'subgraph', inputs: { last: 'price.last' }, body, on_error: 'continue' };
    const old = test(
      { price: { ...price, max_age: '10s' }, child },
      { price: { outputs: { last: '100' } }, 'child/said': {} },
    );
    await old.until('child/pause');
    await old.halt();
    await old.advance('1m');
    await old.resume();
    await old.completed();
    expect(old.state('child/said')).toMatchObject({ state: 'failed', error_type: 'StaleInput' });
    const given = test(
      {
        child: {
          type: 'subgraph',
          body: { nodes: { price: { ...price, max_age: '10s' } }, outputs: { last: 'price.last' } },
        },
        pause: { type: 'wait', params: { for: '1m' } },
        said: tell('{{child.last}}', { after: ['pause'] }),
      },
      { 'child/price': { outputs: { last: '100' } }, said: {} },
    );
    await given.advance('1s');
    await given.halt();
    await given.advance('1m');
    await given.resume();
    expect(await given.failed()).toMatchObject({ node_id: 'said', error_type: 'StaleInput' });
  });

  it('cancels: what runs is awaited, the rest skipped', async () => {
    const run = test(nodes, fakes);
    await run.advance('500ms');
    await run.cancel();
    expect(await refusal(() => run.completed())).toBe('ExecutionCancelled: The execution was cancelled.');
    expect([run.state('slow').state, run.state('after').state]).toEqual(['completed', 'skipped']);
  });
});

describe('own kinds under test', () => {
  const percent = defineNode({
    type: 'percent',
    family: 'own',
    effect: 'pure',
    description: 'A share in percent.',
    fields: { of: field.integer('The whole.', { min: 1, max: 100 }) },
    outputs: { percent: output('integer', 'Percent.') },
    run: ({ of }) => ({ outputs: { percent: 100 / of } }),
  });

  it('run beside the shipped ones', async () => {
    const document = graph({ half: { type: 'percent', params: { of: 2 } } }, { outputs: { half: 'half.percent' } });
    expect(await testGraph(document, { kinds: [percent] }).completed()).toEqual({ half: 50 });
  });

  it('are refused under the name of a shipped one', async () => {
    expect(await refusal(() => testGraph(graph({}), { kinds: [{ ...percent, type: 'ticker' }] }))).toBe(
      'KindsInvalid: there is a node kind `ticker` already.',
    );
  });
});

describe('a test that contradicts its graph', () => {
  const wrong = (nodes: Record<string, unknown>, fakes: TestGraphOptions['nodes']) =>
    refusal(() => test(nodes, fakes).completed());
  const high = { type: 'threshold', params: { min: '1', value: '2' } };

  it('is told so, in words', async () => {
    const first = 'TestInvalid: The test is wrong: ';
    expect(await wrong({ price }, {})).toBe(
      `${first}\`price\` starts, a node of kind ticker (read), and has no fake; give \`nodes: { 'price': … }\`.`,
    );
    expect(await wrong({ price }, { prize: {} })).toBe(
      `${first}there is a fake for \`prize\`, but no such node; did you mean \`price\`.`,
    );
    expect(await wrong({ price }, { price: { outputs: { lost: '1' } } })).toBe(
      `${first}the fake of \`price\` gives \`lost\`, which is no output of ticker.`,
    );
    expect(await wrong({ price }, { price: { outputs: { last: 1 } } })).toBe(
      `${first}the fake of \`price\` gives \`last\` 1, and ticker gives decimal.`,
    );
    expect(await wrong({ price }, { price: { takes: 'long' } })).toBe(
      `${first}the fake of \`price\` takes "long", which is no duration.`,
    );
    expect(await wrong({ high }, { high: { branch: 'maybe' } })).toBe(
      `${first}the fake of \`high\` takes the branch maybe; threshold has pass, fail.`,
    );
    expect(await wrong({ price }, { price: { branch: 'pass' } })).toBe(
      `${first}the fake of \`price\` takes the branch pass; ticker has none.`,
    );
  });

  it('is told when it waits for what will not happen', async () => {
    const ask = { type: 'approval', params: { message: 'really?' } };
    const run = test({ ask, price }, { price: {} });
    expect(await refusal(() => run.completed())).toBe(
      'TestInvalid: The test is wrong: nothing happens any more: `ask` waits for the approval of an operator: really?.',
    );
    expect(await refusal(() => run.until('price', 'failed'))).toContain('nothing happens any more');
    expect(await refusal(() => run.approve('price'))).toContain('`price` waits for no approval');
    expect(await refusal(() => run.advance('soon'))).toContain('"soon" is no duration');
    expect(await refusal(() => run.deliver(''))).toContain('is not taken');
    expect(await refusal(() => run.state('nobody'))).toContain('there is no node `nobody` (yet)');
    await run.approve('ask');
    expect(await refusal(() => run.until('price', 'failed'))).toContain('the execution ended without');
    expect(await refusal(() => run.failed())).toContain('was to fail, and did not');
  });

  it('is told when two move it at once', async () => {
    const run = test({ price }, { price: {} });
    const both = [run.completed(), refusal(() => run.advance(1))] as const;
    expect(await both[1]).toContain('it is moved by two at once');
    await both[0];
  });

  it('learns every mistake of the graph, of its inputs, and of the instant', async () => {
    const mistakes = await refusal(() => testGraph(graph({ a: { type: 'tickr' }, b: { type: 'notify' } })));
    expect(mistakes).toContain('unknown_kind');
    expect(mistakes).toContain('missing_field');
    const inputs = { inputs: { amount: { type: 'decimal' } } };
    expect(await refusal(() => testGraph(graph({ price }, inputs), { inputs: { amount: 5 } }))).toContain(
      'InputsInvalid',
    );
    expect(await refusal(() => testGraph(graph({ price }), { now: 'soon' }))).toContain('now: soon is no instant');
    expect(await refusal(() => testGraph('/nowhere/graph.json'))).toContain('FileUnreadable');
  });

  it('reads a graph from its file', async () => {
    const file = join(__dirname, '../../examples/trading_arb_btc.json');
    const quiet = { price_binance: { outputs: { last: '100' } }, price_bybit: { outputs: { last: '100' } } };
    const run = testGraph(file, { nodes: quiet });
    await run.completed();
    expect(run.state('tell').state).toBe('skipped');
  });
});
