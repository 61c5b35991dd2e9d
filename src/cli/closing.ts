/** The closing of a halt: over Redis to every gate, ahead of the command and whatever becomes of it here. */
import { closingOf } from '../emergency/closing';
import type { RaiseCommand } from '../emergency/model';
import { isScope } from '../emergency/scopes';
import { ClosingPublisher } from '../event-log';
import type { Io } from './io';
import { locate } from './where';

export interface Heard {
  /** Connections that listen for closings. */
  readonly heard: number;
  readonly ms: number;
}

export interface Announcement {
  /** What is known of it by now; nothing where Redis did not take it. */
  readonly heard: () => Heard | undefined;
  readonly close: () => void;
}

const NONE: Announcement = { heard: () => undefined, close: () => undefined };

/** Begins to publish and does not wait: without Redis, or without a key, gates close by the desk's answer alone. */
export async function announce(
  io: Io,
  command: RaiseCommand,
  { desk, elapsed }: { readonly desk: string; readonly elapsed: () => number },
): Promise<Announcement> {
  const { action, scope } = command;
  if (action === 'alert' || !isScope(scope)) return NONE;
  const { redis_url, closing_key } = await locate(io);
  if (closing_key === undefined) return NONE;
  const publisher = new ClosingPublisher(redis_url, closing_key);
  let known: Heard | undefined;
  publisher.publish(closingOf({ ...command, action }, { desk, issued_at: Date.now() })).then(
    (heard) => {
      known = { heard, ms: elapsed() };
    },
    () => undefined,
  );
  return {
    heard: () => known,
    close: () => {
      publisher.close();
    },
  };
}
