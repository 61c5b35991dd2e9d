/** A desk as the local stack sets one up: started, initialised, normal. */
import { HoldfastError } from '../../src/errors';
import type { HoldfastClient } from '../../src/temporal-client/holdfast-client';

export const SETTING = { currency: 'USDT', time_zone: 'UTC' } as const;

export async function readyDesk(client: HoldfastClient, deskId?: string): Promise<void> {
  await client.ensureDesk(deskId);
  try {
    await client.initDesk({ reason: 'a test begins', actor: 'test' }, SETTING, deskId);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'AlreadyInitialised') throw error;
  }
}
