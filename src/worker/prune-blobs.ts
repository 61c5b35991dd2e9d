/** Prunes the blob store at once and every day, beside everything else: what goes wrong is logged and tried again the next day. */
import { messageOf } from '../errors';

interface PruneLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

const DAY_MS = 86_400_000;

/** `prune` resolves to how many blobs it removed. Keeps no process alive. */
export function pruneDaily(prune: () => Promise<number>, log: PruneLog): void {
  const run = (): void => {
    prune().then(
      (removed) => {
        if (removed > 0) log.info({ removed }, 'blobs_pruned');
      },
      (error: unknown) => {
        log.warn({ error: messageOf(error) }, 'blobs_not_pruned');
      },
    );
  };
  setInterval(run, DAY_MS).unref();
  run();
}
