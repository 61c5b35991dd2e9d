/** Routes as they are declared: what is registered, what a request is checked with and what is documented is one thing. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ErrorCode } from '../errors';
import { asTraceparent } from '../events/traceparent';
import { assertRole } from './access';
import { identityOf } from './http';
import { parse } from './problem';
import type { Identity, Role } from './tokens';

export interface RouteAnswer {
  readonly says: string;
  /** Absent where there is no body, or one that is not JSON. */
  readonly schema?: z.ZodType;
  /** Default `application/json`. */
  readonly media_type?: string;
}

interface Described {
  readonly method: 'get' | 'put' | 'post' | 'delete';
  /** As Fastify writes it: `/api/workflows/:id`. */
  readonly path: string;
  readonly summary: string;
  /** What is worth saying beyond the summary. */
  readonly description?: string;
  /** The least one that may; absent where no token is needed. */
  readonly role?: Role;
  /** By HTTP status. */
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  /** Beside those of every route: no token, no right, a wrong shape, too often. */
  readonly refusals?: readonly ErrorCode[];
  /** A request without a body is one with an empty object. */
  readonly body_optional?: boolean;
  /** Told of the body alone: it is obeyed whatever it says. */
  readonly told_body?: z.ZodType;
}

export interface DeclaredRoute extends Described {
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answer: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

export interface Asked<P, Q, B> {
  readonly identity: Identity;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** As it came. */
  readonly raw_body: unknown;
  /** W3C trace context of whoever asks; what is none is ignored. */
  readonly traceparent: string | undefined;
}

interface Declaration<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> extends Described {
  readonly role: Role;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** In place of the check of the role, before the body is read: for refusals that go on the desk's record. Throws `Forbidden`. */
  readonly admit?: (asked: Pick<Asked<z.output<P>, unknown, unknown>, 'identity' | 'params'>) => void;
  readonly handle: (asked: Asked<z.output<P>, z.output<Q>, z.output<B>>, reply: FastifyReply) => unknown;
}

/** Who asks, then what: a role too small is refused before a shape that is wrong. */
export function route<
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
>({ handle, admit, ...declared }: Declaration<P, Q, B>): DeclaredRoute {
  const read = <S extends z.ZodType>(schema: S | undefined, given: unknown) =>
    (schema === undefined ? undefined : parse(schema, given)) as z.output<S>;
  return {
    ...declared,
    answer: async (request, reply) => {
      const identity = identityOf(request);
      if (admit === undefined) assertRole(identity, declared.role);
      const params = read(declared.params, request.params);
      admit?.({ identity, params });
      const query = read(declared.query, request.query);
      const raw_body = request.body;
      const body = read(declared.body, declared.body_optional === true ? (raw_body ?? {}) : raw_body);
      const traceparent = asTraceparent(request.headers['traceparent']);
      return await handle({ identity, params, query, body, raw_body, traceparent }, reply);
    },
  };
}

export function addRoutes(app: FastifyInstance, routes: readonly DeclaredRoute[]): void {
  for (const { method, path, answer } of routes) app.route({ method, url: path, handler: answer });
}
