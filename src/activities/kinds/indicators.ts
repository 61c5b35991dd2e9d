/** Indicators of trading-signals. They compute in floating point: good for deciding, never for amounts of money. */
import { RSI, SMA } from 'trading-signals';
import { HoldfastError } from '../../errors';
import { decimal, formatDecimal } from '../../money';
import { defineNode, field, output, type NodeKind } from '../define-node';

/** Digits after the point of an indicator's value. */
const PLACES = 8;
/** From here on JavaScript writes a number with an exponent. */
const TOO_LARGE = 1e21;
const LONGEST_PERIOD = 1_000;

interface Indicator {
  getRequiredInputs(): number;
  updates(values: number[], replace: boolean): unknown;
  getResult(): number | null;
}

/** The indicator's last value. Throws `InvalidInput` saying how many values it needs. */
function lastValue(name: string, indicator: Indicator, values: readonly string[]): string {
  const needed = indicator.getRequiredInputs();
  if (values.length < needed) {
    throw new HoldfastError('InvalidInput', `values: ${name} needs ${needed} values, not ${values.length}`, { needed });
  }
  indicator.updates(values.map(Number), false);
  const result = indicator.getResult() ?? NaN;
  if (!(Math.abs(result) < TOO_LARGE))
    throw new HoldfastError('InvalidInput', `values: ${name} of them is no finite number`);
  return formatDecimal(decimal(result.toFixed(PLACES)), PLACES);
}

const fields = {
  values: field.decimals('Prices, oldest first; usually candles.closes.'),
  period: field.integer('How many steps to look back.', { min: 1, max: LONGEST_PERIOD }),
};

const sma = defineNode({
  type: 'sma',
  family: 'indicators',
  effect: 'pure',
  description: 'Simple moving average of the last `period` values; needs as many.',
  example: { type: 'sma', params: { period: 20 }, inputs: { values: 'candles.closes' } },
  fields,
  outputs: { value: output('decimal', `The average, rounded to ${PLACES} places.`) },
  run: ({ values, period }) => ({ outputs: { value: lastValue(`sma(${period})`, new SMA(period), values) } }),
});

const rsi = defineNode({
  type: 'rsi',
  family: 'indicators',
  effect: 'pure',
  description:
    'Relative strength index with Wilder’s smoothing, 0 to 100; needs `period` + 1 values and settles with more. 100 when nothing fell.',
  example: { type: 'rsi', params: { period: 14 }, inputs: { values: 'candles.closes' } },
  fields,
  outputs: { value: output('decimal', `The index, rounded to ${PLACES} places.`) },
  run: ({ values, period }) => ({ outputs: { value: lastValue(`rsi(${period})`, new RSI(period), values) } }),
});

export const indicatorKinds: readonly NodeKind[] = [sma, rsi];
