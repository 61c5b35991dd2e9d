/** How much of a position an order may reduce, for whoever wants to close it. */
import { decimal, formatDecimal } from '../money';
import { instrumentOf, reducible, type Side } from './positions';
import { partScopesOf } from './scopes';
import { entry, type DeskState } from './state';

export interface ReducibleQuestion {
  readonly venue: string;
  readonly account: string;
  readonly symbol: string;
  readonly side: Side;
  readonly bot_id?: string;
  readonly strategy_id?: string;
}

/** In base currency: what fills have proven, in the account and in what bot and strategy hold, less what open permits reduce already. */
export function reducibleOf(desk: Pick<DeskState, 'positions'>, question: ReducibleQuestion): string {
  const position = entry(desk.positions, instrumentOf(question.account, question));
  const holdings = [position, ...partScopesOf(question).map((scope) => position?.parts[scope])];
  const amounts = holdings.map((holding) => reducible(holding, question.side));
  const least = amounts.reduce((a, b) => (b.lt(a) ? b : a));
  return formatDecimal(least.lt('0') ? decimal('0') : least);
}
