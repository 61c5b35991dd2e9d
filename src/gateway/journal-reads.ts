/** Reads of the journal for people: a caller is told soon that it does not answer. */
import { HoldfastError } from '../errors';
import type { Journal } from '../journal/journal';

/** What the gateway asks of the journal and writes into it. */
export type GatewayJournal = Pick<
  Journal,
  | ('audit' | 'auditLength' | 'orders' | 'fillsOf' | 'performance')
  | ('equitySeries' | 'fillsSince' | 'haltsSince' | 'recordPoints')
>;

/** Long enough for a page on a busy machine; the journal itself gives up after seconds. */
const ANSWER_WITHIN_MS = 2_000;

/** Throws `JournalUnavailable`, also where no journal is configured. */
export async function readJournal<T>(
  journal: GatewayJournal | undefined,
  read: (journal: GatewayJournal) => Promise<T>,
): Promise<T> {
  if (journal === undefined) throw new HoldfastError('JournalUnavailable', 'This gateway has no journal configured.');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const reason = `no answer within ${ANSWER_WITHIN_MS / 1_000} s`;
      reject(new HoldfastError('JournalUnavailable', `The journal cannot be used: ${reason}.`, { reason }));
    }, ANSWER_WITHIN_MS);
  });
  const answer = read(journal);
  // One that fails after the deadline has nobody left to hear of it.
  answer.catch(() => undefined);
  return Promise.race([answer, late]).finally(() => {
    clearTimeout(timer);
  });
}
