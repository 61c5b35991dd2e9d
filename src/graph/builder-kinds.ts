/**
 * Which node kind a builder's block is: data alone. What a row does not name keeps its own name, so that validation judges it; a row may
 * name kinds, fields and outputs that do not exist, which then count as not named. A row stands here only where the kind does what the
 * block did.
 */
import { snakeCase } from './import-names';

/** A field under its name in the language; `unit` is written behind a number: 5 with `m` is `5m`. */
export type FieldAlias = string | { readonly field: string; readonly unit: 'ms' | 'm' | 'h' };

/** What an output port is: a value, an ending or branch to wait for, or both. */
export interface OutputAlias {
  readonly output?: string;
  readonly on?: string;
}

export interface BlockMapping {
  readonly types: readonly string[];
  /** Absent: every category. */
  readonly categories?: readonly string[];
  /** Properties without which the row does not apply. */
  readonly given?: readonly string[];
  /** Absent: there is none; `note` says what to do. */
  readonly kind?: string;
  /** By the name of a property or an input port. */
  readonly fields?: Readonly<Record<string, FieldAlias>>;
  readonly outputs?: Readonly<Record<string, OutputAlias>>;
  /** By field: other words for its values. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** The block is how an execution begins: nothing of it stays, or a trigger of the graph. */
  readonly starts?: 'by_hand' | 'schedule';
  readonly note?: string;
}

const market = { exchange: 'venue', provider: 'venue', profile_id: 'venue', pair: 'symbol', market: 'symbol' } as const;
const wait = {
  duration: 'for',
  delay: 'for',
  seconds: 'for',
  ms: { field: 'for', unit: 'ms' },
  milliseconds: { field: 'for', unit: 'ms' },
  minutes: { field: 'for', unit: 'm' },
  hours: { field: 'for', unit: 'h' },
} as const;
const sides = { value1: 'a', value2: 'b', left: 'a', right: 'b', operator: 'op', operation: 'op' } as const;
const pair = { price1: 'a', price2: 'b', price_1: 'a', price_2: 'b', first: 'a', second: 'b' } as const;
const series = { prices: 'values', closes: 'values', length: 'period', window: 'period' } as const;
const either = { output: 'value', on: 'pass' } as const;
const result = { result: either, output: either, passed: either, pass: either };
const truth = { output: 'value', on: 'true' } as const;
const boolean = { output: truth, result: truth } as const;
const comparison = {
  op: {
    '>': 'gt',
    '>=': 'gte',
    '<': 'lt',
    '<=': 'lte',
    '==': 'eq',
    '=': 'eq',
    '!=': 'ne',
    greater_than: 'gt',
    greater_or_equal: 'gte',
    less_than: 'lt',
    less_or_equal: 'lte',
    equals: 'eq',
    equal: 'eq',
    not_equals: 'ne',
    not_equal: 'ne',
  },
} as const;
const ORDERS = 'Orders are not guessed: choose the kind, its venue, symbol and size yourself (`holdfast nodes`).';

/** The first row that applies counts. */
const mappings: readonly BlockMapping[] = [
  { types: ['manual', 'manual_trigger', 'start'], categories: ['trigger', 'control', 'flow'], starts: 'by_hand' },
  {
    types: ['schedule', 'interval', 'timer', 'time_trigger', 'period_trigger', 'cron'],
    categories: ['trigger'],
    starts: 'schedule',
    fields: { interval: 'every', seconds: 'every', period: 'every', timezone: 'time_zone', expression: 'cron' },
  },
  {
    types: ['webhook', 'event_listener', 'event'],
    categories: ['trigger'],
    note: 'Deploy the graph and start executions with `POST /api/workflows/{id}/trigger` instead.',
  },
  {
    types: ['price_monitor', 'price_feed', 'price', 'ticker', 'venue_price'],
    kind: 'ticker',
    fields: market,
    outputs: { price: { output: 'last' }, price_feed: { output: 'last' }, value: { output: 'last' } },
  },
  {
    types: ['binance', 'bybit', 'coinbase', 'kraken', 'dydx', 'luno', 'polymarket', 'kalshi'],
    categories: ['provider'],
    note: 'Write a `ticker` with venue and symbol for each price it gave.',
  },
  {
    types: ['candles', 'ohlc', 'ohlcv', 'klines', 'bars'],
    kind: 'candles',
    fields: { ...market, count: 'limit' },
    outputs: { bars: { output: 'candles' }, close: { output: 'closes' }, prices: { output: 'closes' } },
  },
  { types: ['sma', 'moving_average', 'simple_moving_average'], kind: 'sma', fields: series, outputs: sameAsValue() },
  { types: ['rsi', 'relative_strength_index'], kind: 'rsi', fields: series, outputs: sameAsValue() },
  { types: ['spread', 'spread_calculator'], kind: 'spread', fields: pair, outputs: { spread_bps: { output: 'bps' } } },
  {
    types: ['calculate_spread'],
    kind: 'spread',
    fields: { price_a: 'b', price_b: 'a' },
    outputs: { spread: { output: 'difference' } },
  },
  {
    types: ['threshold', 'threshold_check'],
    given: ['operator'],
    kind: 'compare',
    fields: { value: 'a', threshold: 'b', operator: 'op' },
    outputs: result,
    values: comparison,
  },
  {
    types: ['threshold', 'threshold_check', 'range'],
    kind: 'threshold',
    fields: { minimum: 'min', maximum: 'max', min_value: 'min', max_value: 'max', lower: 'min', upper: 'max' },
    outputs: { passed: { on: 'pass' }, failed: { on: 'fail' } },
  },
  {
    types: ['compare', 'comparison'],
    kind: 'compare',
    fields: sides,
    outputs: { ...result, failed: { on: 'fail' } },
    values: comparison,
  },
  { types: ['if', 'if_else', 'branch'], kind: 'if', fields: { expression: 'condition' } },
  { types: ['and', 'and_gate'], kind: 'and', outputs: boolean },
  { types: ['or', 'or_gate'], kind: 'or', outputs: boolean },
  { types: ['not', 'not_gate'], kind: 'not', fields: { input: 'value', input1: 'value' }, outputs: boolean },
  {
    types: ['math', 'arithmetic'],
    kind: 'math',
    fields: sides,
    outputs: { result: { output: 'value' } },
    values: { op: { '+': 'add', '-': 'subtract', '*': 'multiply', '/': 'divide' } },
  },
  {
    types: ['notify', 'notification', 'alert', 'send_alert', 'log'],
    kind: 'notify',
    fields: { text: 'message', body: 'message' },
    note: 'The kind notify writes one line into the worker’s log, wherever the block sent its message.',
  },
  { types: ['wait', 'delay', 'sleep', 'pause'], kind: 'wait', fields: wait },
  { types: ['constant', 'value', 'number', 'text'], kind: 'constant', outputs: { output: { output: 'value' } } },
  { types: ['buy', 'sell', 'order', 'trade', 'place_order', 'cancel', 'cancel_order'], note: ORDERS },
];

function sameAsValue(): Readonly<Record<string, OutputAlias>> {
  const value = { output: 'value' };
  return { result: value, output: value, sma: value, rsi: value, average: value };
}

const CATEGORIES: ReadonlySet<string> = new Set([
  ...['monitor', 'provider', 'source', 'data', 'market', 'indicator', 'transform', 'math', 'trigger'],
  ...['condition', 'logic', 'control', 'flow', 'risk', 'action', 'notification', 'message', 'executor'],
]);

/** Singular and in snake case: `Conditions` is `condition`. */
export function categoryOf(text: string): string {
  return snakeCase(text).replace(/s$/, '');
}

export function isKnownCategory(text: string): boolean {
  return CATEGORIES.has(categoryOf(text));
}

export interface BlockName {
  readonly category: string;
  readonly type: string;
  /** Names of the properties given. */
  readonly given: ReadonlySet<string>;
}

/** The row for a block; undefined where the table has none. */
export function mappingOf({ category, type, given }: BlockName): BlockMapping | undefined {
  const [kind, room] = [snakeCase(type), categoryOf(category)];
  return mappings.find(
    ({ types, categories, given: needed = [] }) =>
      types.includes(kind) &&
      (categories === undefined || categories.includes(room)) &&
      needed.every((name) => given.has(name)),
  );
}

const CONTROL_INPUTS: ReadonlySet<string> = new Set([
  ...['trigger', 'signal', 'execute', 'exec', 'run', 'start', 'enable', 'enabled', 'flow', 'control', 'activate'],
  ...['should_execute', 'should_run', 'when', 'go'],
]);
const CONTROL_TYPES: ReadonlySet<string> = new Set(['trigger', 'signal', 'control', 'flow', 'exec', 'execution']);

/** True for an input port that says when, not with what. */
export function isControlInput(name: string, type: string | undefined): boolean {
  return CONTROL_INPUTS.has(snakeCase(name)) || (type !== undefined && CONTROL_TYPES.has(snakeCase(type)));
}

const ENDINGS: ReadonlyMap<string, string> = new Map([
  ...['success', 'done', 'ok', 'sent', 'next', 'out', 'trigger', 'signal', 'completed'].map(
    (name) => [name, 'success'] as const,
  ),
  ...['error', 'failed', 'failure', 'on_error'].map((name) => [name, 'error'] as const),
  ...['finished', 'always', 'finally'].map((name) => [name, 'finished'] as const),
]);

/** How a node ends, as an output port says it. */
export function endingNamed(name: string): string | undefined {
  return ENDINGS.get(snakeCase(name));
}
