/** What machines ask: whether it runs, whether it is ready, and its figures. Without a token, and naming nobody. */
import { z } from 'zod';
import type { Counters } from './counters';
import type { DeclaredRoute } from './route';

export interface HealthContext {
  readonly counters: Pick<Counters, 'contentType' | 'text'>;
  /** What each service says of itself when it is asked whether it is ready. */
  readonly checks: Readonly<Record<string, () => Promise<boolean>>>;
}

const ready = z.object({ ok: z.boolean() }).catchall(z.boolean());

export function healthRoutes({ counters, checks }: HealthContext): readonly DeclaredRoute[] {
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
      answers: {
        200: { says: 'All answer.', schema: ready },
        503: { says: 'At least one does not; by name which.', schema: ready },
      },
      answer: async (_request, reply) => {
        const names = Object.keys(checks);
        const answers = await Promise.all(Object.values(checks).map((check) => check().catch(() => false)));
        const ok = answers.every(Boolean);
        const body = { ok, ...Object.fromEntries(names.map((name, i) => [name, answers[i]])) };
        return reply.code(ok ? 200 : 503).send(body);
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
