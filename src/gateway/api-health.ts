/** What machines ask: whether it runs, whether it is ready, and its figures. Without a token, and naming nobody. */
import { z } from 'zod';
import type { Counters } from './counters';
import { Recent } from './recent';
import type { DeclaredRoute } from './route';

export interface HealthContext {
  readonly counters: Pick<Counters, 'contentType' | 'text'>;
  /** What each service says of itself when it is asked whether it is ready. */
  readonly checks: Readonly<Record<string, () => Promise<boolean>>>;
}

const ready = z.object({ ok: z.boolean() }).catchall(z.boolean());

export function healthRoutes({ counters, checks }: HealthContext): readonly DeclaredRoute[] {
  const readiness = new Recent(() => checkAll(checks));
  return [
    {
      method: 'get',
      path: '/healthz',
      summary: 'Whether it runs',
      answers: { 200: { says: 'It runs.', schema: z.object({ ok: z.literal(true) }) } },
      answer: () => Promise.resolve({ ok: true }),
    },
    {
      method: 'get',
      path: '/readyz',
      summary: 'Whether what it needs answers',
      description: 'Asked of it once a second at most, however often this is asked.',
      answers: {
        200: { says: 'All answer.', schema: ready },
        503: { says: 'At least one does not; by name which.', schema: ready },
      },
      answer: async (_request, reply) => {
        const body = await readiness.get();
        return reply.code(body.ok ? 200 : 503).send(body);
      },
    },
    {
      method: 'get',
      path: '/metrics',
      summary: 'Figures for Prometheus',
      answers: { 200: { says: 'In Prometheus’ text format.', media_type: 'text/plain' } },
      answer: async (_request, reply) => reply.type(counters.contentType).send(await counters.text()),
    },
  ];
}

async function checkAll(checks: HealthContext['checks']): Promise<{ readonly ok: boolean }> {
  const names = Object.keys(checks);
  const answers = await Promise.all(Object.values(checks).map((check) => check().catch(() => false)));
  return { ok: answers.every(Boolean), ...Object.fromEntries(names.map((name, i) => [name, answers[i]])) };
}
