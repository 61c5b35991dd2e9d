import { openJournal, type Journal } from '../journal/journal';
import type { Io } from './io';
import { locate } from './where';

/** Opens the journal of the stack that runs, or of the environment, and closes it whatever becomes of its use. */
export async function withJournal(io: Io, use: (journal: Journal) => Promise<void>): Promise<void> {
  const { database_url } = await locate(io);
  const journal = openJournal(database_url);
  try {
    await use(journal);
  } finally {
    await journal.close();
  }
}
