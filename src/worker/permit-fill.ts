import type { AccountRef } from '../emergency/open-orders';
import type { Fill } from '../emergency/model';
import type { PermitStatus } from '../emergency/status';
import { present } from '../json';
import type { FoundOrder } from '../venues/order-lookup';

/** What the order of a permit has filled in all, for the desk: under its client order id, so that it counts once whoever tells it. */
export function fillOf(
  { permit_id, client_order_id = permit_id, symbol, side, bot_id, strategy_id }: PermitStatus,
  { venue, account, currency }: AccountRef & Pick<Fill, 'currency'>,
  { filled_quantity, filled_notional, fees, at }: Omit<FoundOrder, 'status'>,
): Fill {
  return {
    ...{ order_id: client_order_id, permit_id, account, venue, symbol, side },
    ...{ filled_quantity, filled_notional, fees, currency, at },
    ...present({ bot_id, strategy_id }),
  };
}
