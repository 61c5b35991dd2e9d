/** A desk as the local stack sets one up: started, initialised, normal. */
import { HoldfastError } from '../../src/errors';
import type { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { answered } from './until';

export const SETTING = { currency: 'USDT', time_zone: 'UTC' } as const;

export async function readyDesk(client: HoldfastClient, deskId?: string): Promise<void> {
  await client.ensureDesk(deskId);
  try {
    // A journal that another world has just begun to set up is late for a moment.
    await answered(async () => {
      await client.initDesk({ reason: 'a test begins', actor: 'test' }, SETTING, deskId);
      return true;
    });
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'AlreadyInitialised') throw error;
  }
}
