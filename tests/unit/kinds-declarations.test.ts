import { describe, expect, it } from '@jest/globals';
import { kindCatalogue } from '../../src/activities/kinds';
import { nodeSchema } from '../../src/graph/schema';
import { NODE_ID } from '../../src/graph/names';

/** A cancel is repeated until the venue has said what became of the order; an order is never sent again on a guess. */
const ATTEMPTS: Readonly<Record<string, number>> = { read: 3, notify: 3, cancel: 20 };

const kinds = [...kindCatalogue.values()];

describe('the catalogue', () => {
  it('holds the kinds of this release under their types', () => {
    expect([...kindCatalogue.keys()].sort()).toEqual(
      (
        'and approval balance cancel_all cancel_order candles close_position compare constant first get if limit_order ' +
        'map market_order math not notify open_orders or order_book paired_order position_size positions ' +
        'pre_trade_check repeat replace_order rsi set sma spread stop_order subgraph switch threshold ticker twap wait ' +
        'wait_for_signal'
      ).split(' '),
    );
    expect(kinds.every((kind) => kindCatalogue.get(kind.type) === kind)).toBe(true);
  });

  it.each(kinds)('$type is described with names and sentences an author can use', (kind) => {
    const described = [kind, ...Object.values(kind.fields), ...Object.values(kind.outputs)];
    expect(described.every(({ description }) => /^\S.*\.$/s.test(description))).toBe(true);
    expect(
      [kind.type, ...Object.keys(kind.fields), ...Object.keys(kind.outputs)].every((name) => NODE_ID.test(name)),
    ).toBe(true);
  });

  it.each(kinds)('$type has an example whose fields and literals it accepts', (kind) => {
    const example = nodeSchema.parse(kind.example);
    const params = example.params ?? {};
    const given = [...Object.keys(params), ...Object.keys(example.inputs ?? {})];
    const required = Object.keys(kind.fields).filter((name) => kind.fields[name]!.required);
    expect(example.type).toBe(kind.type);
    if (kind.open_fields === undefined) expect(Object.keys(kind.fields)).toEqual(expect.arrayContaining(given));
    expect(given).toEqual(expect.arrayContaining(required));
    const complaints = Object.entries(params).map(([name, value]) =>
      (kind.fields[name] ?? kind.open_fields)!.check(value),
    );
    expect(complaints.filter((each) => each !== undefined)).toEqual([]);
    expect(kind.check?.({ literals: params, names: new Set(given) })).toBeUndefined();
    expect(example.body !== undefined).toBe(kind.body !== undefined);
  });

  it.each(kinds)('$type retries only where a retry can help', ({ effect, retry }) => {
    expect(retry.max_attempts).toBe(ATTEMPTS[effect] ?? 1);
  });

  it('gives branches to conditions, to what asks people and to orders alone, and a formula to `if` alone', () => {
    const withBranches = kinds.filter((kind) => kind.branches.length > 0);
    expect(withBranches.map(({ type, branches }) => [type, ...branches].join(' '))).toEqual([
      'compare pass fail',
      'threshold pass fail',
      'if true false',
      'switch default',
      'and true false',
      'or true false',
      'not true false',
      'wait_for_signal received timed_out',
      'approval approved rejected',
      'pre_trade_check pass fail',
      'market_order filled partly_filled not_filled open',
      'limit_order filled partly_filled not_filled open',
      'stop_order filled partly_filled not_filled open',
      'replace_order filled partly_filled not_filled open not_replaced',
      'paired_order done half_done not_filled',
      'twap filled partly_filled not_filled',
      'close_position filled partly_filled not_filled open flat',
      'cancel_order cancelled ended not_found',
    ]);
    expect(kinds.filter((kind) => kind.formulas.length > 0).map(({ type, formulas }) => [type, ...formulas])).toEqual([
      ['if', 'condition'],
    ]);
  });

  it('says in one sentence what is wrong with a literal', () => {
    expect(kindCatalogue.get('if')!.fields['condition']!.check('a > 1')).toContain('a is no reference');
    expect(kindCatalogue.get('threshold')!.fields['min']!.check(8)).toBe('must be a decimal string such as "12.50"');
    expect(kindCatalogue.get('candles')!.fields['limit']!.check(60)).toBeUndefined();
  });
});
