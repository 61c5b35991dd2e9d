/** REST: a halt rehearsed, on a desk of its own. */
import { z } from 'zod';
import { GLOBAL } from '../emergency/scopes';
import { drill, type DrillReport } from '../temporal-client/drill';
import type { ApiContext } from './api-executions';
import { assertMayCommand } from './emergency';
import { route, type DeclaredRoute } from './route';

const text = z.string();
const count = z.number().int().min(0);

const report = z.object({
  desk: text,
  started_at: z.iso.datetime(),
  limit: text,
  loss: text,
  orders: z.object({ before: count, during: count, after_refusal: count }),
  desk_answered_ms: count,
  first_refusal_ms: count,
  sealed_ms: count,
  execution_halted_ms: count,
  refused_with: text,
  early_resume: text,
  resumed: z.boolean(),
  execution_went_on: z.boolean(),
  passed: z.boolean(),
}) satisfies z.ZodType<DrillReport>;
const drillAnswer = report.extend({ said: z.array(text).meta({ description: 'Its steps, a line each.' }) });

export function drillRoutes({ client, kinds, log }: ApiContext): readonly DeclaredRoute[] {
  let running: Promise<z.infer<typeof drillAnswer>> | undefined;
  const rehearse = async (actor: string) => {
    const said: string[] = [];
    const found = await drill(client, { actor, kinds, say: (line) => said.push(line) });
    log.info({ desk: found.desk, passed: found.passed, actor }, 'drill');
    return { ...found, said };
  };
  return [
    route({
      method: 'post',
      path: '/api/drill',
      summary: 'Rehearse a halt: loss, limit, halt, resume',
      description:
        'On a desk of its own, on paper; nothing that runs hears of it. Answered when it is over, after seconds. One at a time: who asks meanwhile gets the answer of the one that runs.',
      role: 'operator',
      answers: { 200: { says: 'What it found; `passed` says whether all held.', schema: drillAnswer } },
      refusals: ['DrillFailed', 'EmergencyUnreachable', 'TemporalUnavailable'],
      handle: ({ identity }) => {
        assertMayCommand(identity, 'operator', GLOBAL);
        running ??= rehearse(identity.subject).finally(() => {
          running = undefined;
        });
        return running;
      },
    }),
  ];
}
