import type { PermitDesk } from '../../src/worker/permits';
import type { TradeSurroundings } from '../../src/worker/trade';

/** For a trade whose desk is scripted: nothing was reset, nothing is open, and every fill is taken. */
export function tradeSurroundings(desk: PermitDesk, over: Partial<TradeSurroundings> = {}): TradeSurroundings {
  return {
    desk,
    recordFill: () => Promise.resolve(),
    reducible: () => Promise.resolve('0'),
    openOrders: () => Promise.resolve({ currency: 'USDT', unsettled: [], resting: [] }),
    wasReset: () => Promise.resolve(false),
    modeOf: () => 'paper',
    ...over,
  };
}

export const NO_RESETS = { of: () => Promise.resolve(false) };
