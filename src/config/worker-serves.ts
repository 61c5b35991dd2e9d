/** `HOLDFAST_WORKER_SERVES`: what a worker process takes work of. */
import { z } from 'zod';

const ROLES = ['graphs', 'desk'] as const;

/** `graphs`: executions and their nodes; `desk`: the emergency desks, and what is cancelled, flattened and swept for them. */
export type WorkerRole = (typeof ROLES)[number];

export const workerServesSchema = z
  .string()
  .default(ROLES.join())
  .transform((text, context): ReadonlySet<WorkerRole> => {
    const given = text.split(',').map((each) => each.trim());
    if (given.every(isRole)) return new Set(given);
    context.addIssue('must be graphs, desk or graphs,desk');
    return z.NEVER;
  });

function isRole(text: string): text is WorkerRole {
  return ROLES.some((role) => role === text);
}
