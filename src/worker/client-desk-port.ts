/** The desk as a worker reaches it: by its Temporal client. */
import { HoldfastError } from '../errors';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { DeskPort } from './desk-port';

export function clientDeskPort(client: HoldfastClient, deskId: string | undefined): DeskPort {
  return {
    read: (commandIds) => client.gateReading(commandIds, deskId),
    deliver: async (command) => {
      const { ok, error } = await client.commandDesk(command, deskId);
      // A conflict says that the id is taken, so the desk has decided; a busy desk has not.
      if (!ok && error?.code === 'DeskBusy') throw new HoldfastError(error.code, error.message);
    },
    requestPermits: (batch) => client.requestPermits(batch, deskId),
    reducible: (question) => client.reducible(question, deskId),
    openOrders: (question) => client.openOrders(question, deskId),
    recordFill: (fill) => client.recordAtDesk('fill', fill, deskId),
  };
}
