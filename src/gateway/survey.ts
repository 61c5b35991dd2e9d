/** What Temporal knows of executions, for the log to be compared with. */
import { present } from '../json';
import type { ExecutionFilter, ExecutionSummary, HoldfastClient } from '../temporal-client/holdfast-client';

export interface Survey {
  readonly open: readonly ExecutionSummary[];
  readonly closed: readonly ExecutionSummary[];
}

const PAGE = 1_000;
/** What has ended: as long as the log keeps it, and as many as its lists hold. */
const WHOLE = { open: 10_000, closed_within_ms: 24 * 60 * 60_000, closed: 500 };
const LATELY = { open: PAGE, closed_within_ms: 15 * 60_000, closed: 200 };

/** `whole`: all that the log would still hold, for one that may have lost something. The latest come first. */
export async function takeSurvey(client: HoldfastClient, whole: boolean, now: number): Promise<Survey> {
  const { open: mostOpen, closed_within_ms, closed } = whole ? WHOLE : LATELY;
  const [open, ended] = await Promise.all([
    listed(client, { open: true }, mostOpen),
    listed(client, { closed_since: now - closed_within_ms }, closed),
  ]);
  return { open, closed: ended };
}

async function listed(client: HoldfastClient, filter: ExecutionFilter, most: number): Promise<ExecutionSummary[]> {
  const found: ExecutionSummary[] = [];
  let page: string | undefined;
  do {
    const limit = Math.min(PAGE, most - found.length);
    const { executions, next_page } = await client.listExecutions({ ...filter, ...present({ limit, page }) });
    found.push(...executions);
    page = next_page;
  } while (page !== undefined && found.length < most);
  return found;
}
