/** Reads permit requests. Numbers of JSON are refused where money is meant: a price that was a float once is not the price any more. */
import { isObject, present } from '../json';
import {
  isId,
  readCurrency,
  readId,
  readOneOf,
  readOptionalId,
  readPositive,
  refuse,
  sourceOf,
  type Source,
} from './fields';
import type { PermitRequest } from './model';

const LONGEST_ID = 200;

/** Throws `InvalidInput`. */
export function readPermitRequest(value: unknown): PermitRequest {
  const source = sourceOf(value, 'a permit request', 'InvalidInput');
  return {
    permit_id: readId(source, 'permit_id'),
    account: readId(source, 'account'),
    venue: readId(source, 'venue'),
    symbol: readId(source, 'symbol'),
    side: readOneOf(source, 'side', ['buy', 'sell']),
    quantity: readPositive(source, 'quantity'),
    price: readPositive(source, 'price'),
    currency: readCurrency(source, 'currency'),
    execution_id: readId(source, 'execution_id'),
    ...optionalMembers(source),
  };
}

/** For the answer to a request that cannot be read: its id as far as it has one. */
export function permitIdOf(value: unknown): string {
  const id = isObject(value) ? value['permit_id'] : undefined;
  return isId(id) ? id : typeof id === 'string' ? id.slice(0, LONGEST_ID) : '';
}

type OptionalMembers = Pick<
  PermitRequest,
  'bot_id' | 'strategy_id' | 'client_order_id' | 'market' | 'purpose' | 'workflow_id' | 'mode'
>;

function optionalMembers(source: Source): OptionalMembers {
  const { market, purpose, mode } = source.members;
  return {
    ...present({
      bot_id: readOptionalId(source, 'bot_id'),
      strategy_id: readOptionalId(source, 'strategy_id'),
      client_order_id: readOptionalId(source, 'client_order_id'),
      workflow_id: readOptionalId(source, 'workflow_id'),
    }),
    ...(mode === undefined ? {} : { mode: readOneOf(source, 'mode', ['paper', 'live']) }),
    ...(market === undefined ? {} : { market: readMarket(market) }),
    ...(purpose === undefined ? {} : { purpose: readOneOf(source, 'purpose', ['on_halt', 'operator']) }),
  };
}

function readMarket(value: unknown) {
  const source = sourceOf(value, 'market', 'InvalidInput');
  const { age_ms } = source.members;
  if (typeof age_ms !== 'number' || !Number.isFinite(age_ms) || age_ms < 0) {
    return refuse('InvalidInput', 'market.age_ms must be milliseconds, not negative');
  }
  return { price: readPositive(source, 'price'), age_ms };
}
