import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createKinds, kindCatalogue, type NodeKinds } from '../../src/activities/kinds';
import { decimal, isDecimal } from '../../src/money';
import { recordedVenues } from '../../src/venues/recorded-venue';
import { nodeContext } from '../support/node-context';

type Fields = Record<string, unknown>;
let kinds: NodeKinds = kindCatalogue;
const run = (type: string, fields: Fields, context = nodeContext()) => kinds.get(type)!.run(fields, context);
const refusal = async (type: string, fields: Fields) => {
  const error = await run(type, fields).then(
    (outcome) => ({ code: 'none', message: JSON.stringify(outcome) }),
    (thrown: unknown) => thrown as { code: string; message: string },
  );
  return `${error.code}: ${error.message}`;
};

beforeAll(async () => {
  const directory = join(__dirname, '../../examples/data');
  kinds = createKinds({ venues: await recordedVenues({ directory, clock: { now: () => 0, speed: 60 } }) });
});

describe('constant', () => {
  it.each([42, '12.50', null, false, [1], { a: {} }])('gives %j', async (value) => {
    expect(await run('constant', { value })).toEqual({ outputs: { value } });
  });

  it('needs a value, and no other field', async () => {
    expect(await refusal('constant', {})).toBe('InvalidInput: value: is required');
    expect(await refusal('constant', { value: 1, other: 2 })).toContain('"other"');
  });
});

describe('candles', () => {
  const market = { venue: 'recorded_dash', symbol: 'DASH/USDT' };

  it('gives the last closed bars with their closes', async () => {
    const { outputs } = await run('candles', { ...market, limit: 3 });
    const bars = outputs['candles'] as { close: string; open_time_ms: number }[];
    expect(outputs).toEqual({
      candles: bars,
      closes: bars.map((bar) => bar.close),
      last: bars[2]!.close,
      time_ms: bars[2]!.open_time_ms,
      count: 3,
    });
    expect(new Date(bars[2]!.open_time_ms).toISOString()).toBe('2020-09-09T03:19:00.000Z');
  });

  it('gives 100 bars unless told otherwise', async () => {
    expect((await run('candles', market)).outputs['count']).toBe(100);
  });

  it.each([
    [{ ...market, limit: 0 }, 'InvalidInput: limit:'],
    [{ ...market, limit: 501 }, 'InvalidInput: limit:'],
    [{ ...market, limit: 2.5 }, 'InvalidInput: limit:'],
    [{ ...market, limit: 201 }, 'DataUnavailable: recorded_dash has 200 closed bars, not 201.'],
    [{ ...market, symbol: 'X/Y' }, 'DataUnavailable: recorded_dash has no market X/Y'],
    [
      { ...market, venue: 'nowhere' },
      'DataUnavailable: There is no venue nowhere; there are recorded_dash, paper_binance, paper_bybit.',
    ],
    [{ venue: 'recorded_dash' }, 'InvalidInput: symbol:'],
  ])('refuses %j', async (fields, message) => {
    expect(await refusal('candles', fields)).toContain(message);
  });
});

describe('ticker', () => {
  it('gives the last price with its time, market and venue', async () => {
    const fields = { venue: 'paper_binance', symbol: 'BTC/BUSD' };
    const { outputs } = await run('ticker', fields);
    expect(outputs).toEqual({
      ...fields,
      last: expect.stringMatching(/^17\d{3}\.\d+$/),
      time_ms: 1_670_901_600_000,
      age_ms: 0,
    });
  });

  it('refuses an unknown venue and market', async () => {
    expect(await refusal('ticker', { venue: 'x', symbol: 'y' })).toContain('DataUnavailable: There is no venue x');
    expect(await refusal('ticker', { venue: 'paper_bybit', symbol: 'y' })).toContain('has no market y');
  });

  it('of the catalogue that only declares says there is no venue', async () => {
    await expect(kindCatalogue.get('ticker')!.run({ venue: 'x', symbol: 'y' }, nodeContext())).rejects.toMatchObject({
      code: 'DataUnavailable',
      message: 'There is no venue x; there are none.',
    });
  });
});

describe('sma', () => {
  it.each([
    [['1', '2', '3', '4'], 2, '3.5'],
    [['1', '2', '3', '4'], 4, '2.5'],
    [['5.25'], 1, '5.25'],
    [['1', '1', '2'], 3, '1.33333333'],
    [['-1', '1'], 2, '0'],
  ])('of %j over %i is %s', async (values, period, value) => {
    expect(await run('sma', { values, period })).toEqual({ outputs: { value } });
  });

  it.each([
    [{ values: ['1', '2'], period: 3 }, 'InvalidInput: values: sma(3) needs 3 values, not 2'],
    [{ values: [], period: 1 }, 'InvalidInput: values:'],
    [{ values: [1, 2], period: 1 }, 'must be a decimal string'],
    [{ values: ['1'], period: 0 }, 'InvalidInput: period:'],
    [{ values: ['9'.repeat(30)], period: 1 }, 'InvalidInput: values: sma(1) of them is no finite number'],
  ])('refuses %j', async (fields, message) => {
    expect(await refusal('sma', fields)).toContain(message);
  });
});

describe('rsi', () => {
  it('agrees with Wilder’s textbook series', async () => {
    const prices =
      '44.34 44.09 44.15 43.61 44.33 44.83 45.10 45.42 45.84 46.08 45.89 46.03 45.61 46.28 46.28 46.00 46.03 46.41 46.22 45.64';
    const values = prices.split(' ');
    const at = async (count: number) =>
      Number((await run('rsi', { values: values.slice(0, count), period: 14 })).outputs['value']).toFixed(2);
    expect([await at(15), await at(16), await at(17), await at(20)]).toEqual(['70.46', '66.25', '66.48', '57.92']);
  });

  it('is 100 when nothing fell and 0 when nothing rose', async () => {
    expect((await run('rsi', { values: ['1', '2', '3'], period: 2 })).outputs['value']).toBe('100');
    expect((await run('rsi', { values: ['3', '2', '1'], period: 2 })).outputs['value']).toBe('0');
    expect((await run('rsi', { values: ['2', '2', '2'], period: 2 })).outputs['value']).toBe('100');
  });

  it('lies between 0 and 100 for all prices', async () => {
    const price = fc.integer({ min: 1, max: 1_000_000 }).map(String);
    await fc.assert(
      fc.asyncProperty(fc.array(price, { minLength: 4, maxLength: 50 }), async (values) => {
        const value = (await run('rsi', { values, period: 3 })).outputs['value'] as string;
        expect(isDecimal(value) && decimal(value).gte('0') && decimal(value).lte('100')).toBe(true);
      }),
    );
  });

  it('says how many values it needs', async () => {
    expect(await refusal('rsi', { values: ['1', '2'], period: 2 })).toBe(
      'InvalidInput: values: rsi(2) needs 3 values, not 2',
    );
  });
});

describe('math', () => {
  it.each([
    ['add', '0.1', '0.2', '0.3'],
    ['subtract', '1', '0.9', '0.1'],
    ['multiply', '0.1', '0.1', '0.01'],
    ['divide', '1', '8', '0.125'],
    ['divide', '2', '3', '0.66666666666666666667'],
    ['min', '2', '10', '2'],
    ['max', '2', '10', '10'],
    ['min', '-1', '-2', '-2'],
    ['max', '3', '-2', '3'],
    ['multiply', '0', '-1', '0'],
  ])('%s %s %s is %s', async (op, a, b, value) => {
    expect(await run('math', { op, a, b })).toEqual({ outputs: { value } });
  });

  it.each([
    [{ op: 'divide', a: '1', b: '0.00' }, 'InvalidInput: b: is zero and cannot divide'],
    [{ op: 'power', a: '1', b: '2' }, 'InvalidInput: op:'],
    [{ op: 'add', a: 1, b: '2' }, 'InvalidInput: a: must be a decimal string'],
    [{ op: 'add', a: '1' }, 'InvalidInput: b:'],
    [{ op: 'multiply', a: '9'.repeat(30), b: '10' }, 'more than 30 digits'],
  ])('refuses %j', async (fields, message) => {
    expect(await refusal('math', fields)).toContain(message);
  });
});

describe('spread', () => {
  it.each([
    ['101', '100', '100', '1'],
    ['100', '101', '-99.00990099', '-1'],
    ['17208.88', '17205', '2.25515838', '3.88'],
    ['5', '5.00', '0', '0'],
  ])('of %s and %s is %s bps', async (a, b, bps, difference) => {
    expect(await run('spread', { a, b })).toEqual({ outputs: { bps, difference } });
  });

  it('refuses a zero price, and numbers', async () => {
    expect(await refusal('spread', { a: '1', b: '0' })).toContain('InvalidInput: b: is zero');
    expect(await refusal('spread', { a: 1.5, b: '1' })).toContain('InvalidInput: a: must be a decimal string');
  });
});

describe('compare', () => {
  it.each([
    ['gt', '10', '9', true],
    ['gt', '10', '10.0', false],
    ['gte', '10', '10.0', true],
    ['gte', '9', '10', false],
    ['lt', '9', '10', true],
    ['lt', '10', '10', false],
    ['lte', '10', '10', true],
    ['lte', '11', '10', false],
    ['eq', '1.50', '1.5', true],
    ['eq', '1.51', '1.5', false],
    ['ne', '1.51', '1.5', true],
    ['ne', '1.50', '1.5', false],
  ])('%s of %s and %s is %s', async (op, a, b, value) => {
    expect(await run('compare', { op, a, b })).toEqual({ outputs: { value }, branch: value ? 'pass' : 'fail' });
  });

  it('refuses an unknown operator and a text', async () => {
    expect(await refusal('compare', { op: '>', a: '1', b: '2' })).toContain('InvalidInput: op:');
    expect(await refusal('compare', { op: 'gt', a: 'NaN', b: '2' })).toContain('InvalidInput: a:');
  });
});

describe('threshold', () => {
  it.each([
    [{ value: '8', min: '8' }, 'pass'],
    [{ value: '7.99999999', min: '8' }, 'fail'],
    [{ value: '70', max: '70' }, 'pass'],
    [{ value: '70.01', max: '70' }, 'fail'],
    [{ value: '5', min: '1', max: '9' }, 'pass'],
    [{ value: '0', min: '1', max: '9' }, 'fail'],
    [{ value: '10', min: '1', max: '9' }, 'fail'],
    [{ value: '5', min: '5', max: '5.0' }, 'pass'],
  ])('%j goes on with %s', async (fields, branch) => {
    expect(await run('threshold', fields)).toEqual({ outputs: { value: fields.value }, branch });
  });

  it.each([
    [{ value: '1' }, 'InvalidInput: give at least one of `min` and `max`'],
    [{ value: '1', min: '2', max: '1' }, 'InvalidInput: min: 2 is above max 1'],
    [{ value: 9, min: '8' }, 'InvalidInput: value: must be a decimal string'],
    [{ min: '8' }, 'InvalidInput: value:'],
  ])('refuses %j', async (fields, message) => {
    expect(await refusal('threshold', fields)).toContain(message);
  });
});

describe('if', () => {
  const condition = (formula: string, values: Fields = {}) => ({ condition: { formula, values } });

  it('goes on with true or false', async () => {
    expect(await run('if', condition('a.b > 1', { 'a.b': '2' }))).toEqual({ outputs: { value: true }, branch: 'true' });
    expect(await run('if', condition('a.b > 1', { 'a.b': '1' }))).toEqual({
      outputs: { value: false },
      branch: 'false',
    });
  });

  it('refuses what is no condition', async () => {
    expect(await refusal('if', condition('1 + 1'))).toBe('InvalidInput: condition: gives "2", not true or false');
    expect(await refusal('if', condition('a.b > 1'))).toBe(
      'InvalidInput: a.b is missing; a formula reads decimals, texts, true and false',
    );
    expect(await refusal('if', condition('1 >'))).toContain('InvalidInput: the formula does not parse');
    expect(await refusal('if', { condition: '1 > 0' })).toContain('InvalidInput: condition:');
  });
});

describe('wait', () => {
  it('is a timer of the execution and refuses to run in a worker', async () => {
    expect(kinds.get('wait')).toMatchObject({ effect: 'control' });
    expect(await refusal('wait', { for: '30s' })).toContain('Unexpected: wait happens in the execution');
  });

  it.each(['30', 'soon', 0, -1, true])('declares that %j is no duration', (value) => {
    expect(kinds.get('wait')!.fields['for']!.check(value)).toBeTruthy();
  });
});

describe('notify', () => {
  it('writes one line with the key by which a repeat is recognised', async () => {
    const context = nodeContext();
    expect(await run('notify', { message: 'hello' }, context)).toEqual({
      outputs: { channel: 'log', message: 'hello' },
    });
    expect(context.logged).toEqual([[{ message: 'hello', idempotency_key: context.idempotency_key }, 'notification']]);
  });

  it('needs a text', async () => {
    expect(await refusal('notify', { message: 1 })).toContain('InvalidInput: message:');
  });
});

describe('switch', () => {
  const cases = { trade: ['buy', 'sell'], one: '1.0', yes: true, none: null, two: [2] };

  it.each([
    ['buy', 'trade'],
    ['sell', 'trade'],
    ['1', 'one'],
    ['1.00', 'one'],
    [1, 'one'],
    ['2', 'two'],
    [true, 'yes'],
    ['true', 'default'],
    [null, 'none'],
    ['hold', 'default'],
    [[], 'default'],
    [{ a: 1 }, 'default'],
  ])('takes for %j the branch %s', async (value, branch) => {
    expect(await run('switch', { value, cases })).toEqual({ outputs: { value }, branch });
  });

  it('knows zero by any sign', async () => {
    expect((await run('switch', { value: '-0.0', cases: { zero: 0 } })).branch).toBe('zero');
  });

  it.each([
    [{}, 'must have 1 to 100 cases'],
    [{ default: 1 }, 'a branch cannot be called "default"'],
    [{ 'a b': 1 }, 'a branch cannot be called "a b"'],
    [{ a: {} }, 'the case a holds a list or an object'],
    [{ a: [[1]] }, 'the case a holds a list or an object'],
    [{ a: '1', b: ['2', '1.0'] }, 'the cases a and b both hold for "1.0"'],
    [{ a: Array.from({ length: 1_001 }, (_, at) => at) }, 'must have at most 1000 literals'],
    [7, 'must be an object'],
  ])('refuses the cases %j', async (wrong, message) => {
    expect(await refusal('switch', { value: 1, cases: wrong })).toContain(`InvalidInput: cases: ${message}`);
  });
});

describe('and, or, not', () => {
  it.each([
    ['and', { a: true, b: true }, true],
    ['and', { a: true, b: false }, false],
    ['or', { a: false, b: true }, true],
    ['or', { only: false }, false],
    ['not', { value: false }, true],
    ['not', { value: true }, false],
  ])('%s of %j is %j', async (type, fields, value) => {
    expect(await run(type, fields)).toEqual({ outputs: { value }, branch: String(value) });
  });

  it('take booleans, and at least one', async () => {
    expect(await refusal('and', {})).toBe('InvalidInput: give at least one value, under any name');
    expect(await refusal('or', {})).toBe('InvalidInput: give at least one value, under any name');
    expect(await refusal('and', { a: 'true' })).toContain('InvalidInput: a:');
    expect(await refusal('not', { value: true, other: true })).toContain('"other"');
  });
});

describe('first', () => {
  it('gives the first value in the order they are written, be it null', async () => {
    expect(await run('first', { b: 1, a: 2 })).toEqual({ outputs: { value: 1 } });
    expect(await run('first', { b: null, a: 2 })).toEqual({ outputs: { value: null } });
    expect(await refusal('first', {})).toBe('InvalidInput: give at least one value, under any name');
  });
});

describe('control kinds', () => {
  const check = (type: string, params: Fields) => {
    const { fields, open_fields, check: together } = kindCatalogue.get(type)!;
    const single = Object.entries(params).map(([name, value]) => (fields[name] ?? open_fields)!.check(value));
    const problem = together?.({ literals: params, names: new Set(Object.keys(params)) });
    return [...single, problem?.message].filter((each) => each !== undefined);
  };

  it.each([
    ['wait', { for: '30s' }],
    ['wait', { until: '2026-01-31T08:00:00Z' }],
    ['wait', { until: '2024-02-29T08:00+05:30' }],
    ['approval', {}],
    ['approval', { approvers: ['lead'], deadline: 60, on_timeout: 'approve', message: 'Go?' }],
    ['wait_for_signal', { name: 'x', deadline: 5, on_timeout: 'continue' }],
    ['map', { items: [], concurrency: 1_000, on_item_error: 'continue' }],
    ['repeat', { max_iterations: 10_000 }],
    ['subgraph', { workflow: 'other', anything: null }],
    ['set', { name: 'x', value: null }],
  ])('%s takes %j', (type, params) => {
    expect(check(type, params)).toEqual([]);
  });

  it.each([
    ['wait', { for: 0 }],
    ['wait', { until: 'tomorrow' }],
    ['wait', { until: '2026-02-30T08:00:00Z' }],
    ['wait', { until: '2026-01-31T08:00:00' }],
    ['wait', { until: '2026-01-31T25:00:00Z' }],
    ['wait', { for: 1, until: '2026-01-31T08:00:00Z' }],
    ['approval', { approvers: [] }],
    ['approval', { approvers: [''] }],
    ['approval', { deadline: 5, on_timeout: 'continue' }],
    ['approval', { on_timeout: 'approve' }],
    ['wait_for_signal', { name: 'x', on_timeout: 'continue' }],
    ['wait_for_signal', { name: '' }],
    ['wait_for_signal', { name: 'x'.repeat(201) }],
    ['map', { items: 'x' }],
    ['map', { items: [], concurrency: 0 }],
    ['map', { items: Array.from({ length: 10_001 }, () => 0) }],
    ['repeat', { max_iterations: 10_001 }],
    ['subgraph', { workflow: 'a b' }],
  ])('%s refuses %j', (type, params) => {
    expect(check(type, params)).toHaveLength(1);
  });
});
