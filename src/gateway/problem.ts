/** Errors as problem+json (RFC 9457): one shape for every refusal, made from the catalogue. */
import type { FastifyError, FastifyReply } from 'fastify';
import type { z } from 'zod';
import { HoldfastError, errorCatalogue, messageOf, type ErrorCode } from '../errors';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly next_step: string;
}

export function sendProblem(reply: FastifyReply, error: HoldfastError, status = error.entry.http_status): FastifyReply {
  const { meaning, retryable, next_step } = errorCatalogue[error.code];
  const problem: Problem = {
    ...error.details,
    type: `urn:holdfast:error:${error.code}`,
    title: meaning,
    status,
    detail: error.message,
    code: error.code,
    retryable,
    next_step,
  };
  return reply.code(status).header('content-type', 'application/problem+json').send(JSON.stringify(problem));
}

/** What Fastify or a defect threw, in the catalogue's words; `status` where Fastify knows better. */
export function toHoldfastError(error: unknown): { error: HoldfastError; status?: number } {
  if (error instanceof HoldfastError) return { error };
  const status = (error as Partial<FastifyError>).statusCode;
  if (status !== undefined && status >= 400 && status < 500) {
    return { error: new HoldfastError('BadRequest', messageOf(error)), status };
  }
  return { error: new HoldfastError('Unexpected', 'The gateway failed to answer.') };
}

/** Throws `BadRequest` naming the fields that are wrong. */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(' '));
  throw new HoldfastError('BadRequest', `${mistakes.join('; ')}.`, { mistakes });
}
