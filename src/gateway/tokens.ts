/** Bearer tokens: who someone is, what their role may do, and which bots and strategies they may see. */
import { SignJWT, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { HoldfastError } from '../errors';

export const ROLES = ['viewer', 'operator', 'admin'] as const;
/** A viewer reads; an operator also starts, halts, resumes and cancels; an admin also deploys and deletes. */
export type Role = (typeof ROLES)[number];

export interface TokenRequest {
  readonly role: Role;
  /** For the record; default `holdfast`. */
  readonly subject?: string;
  readonly expires_in_s: number;
  /** Only these bots, only these strategies; absent means all. Both given: an execution must match both. */
  readonly bots?: readonly string[];
  readonly strategies?: readonly string[];
}

export interface Identity {
  readonly subject: string;
  readonly role: Role;
  readonly bots?: readonly string[];
  readonly strategies?: readonly string[];
  /** Epoch ms. */
  readonly expires_at: number;
}

const ALGORITHM = 'HS256';
const ISSUER = 'holdfast';
const AUDIENCE = 'holdfast-gateway';

const claimsSchema = z.object({
  sub: z.string().min(1),
  role: z.enum(ROLES),
  exp: z.number(),
  bots: z.array(z.string()).optional(),
  strategies: z.array(z.string()).optional(),
});

/** Signs a token; `secret` has at least 32 characters. */
export async function createToken(request: TokenRequest, secret: string): Promise<string> {
  const { role, bots, strategies, subject = 'holdfast', expires_in_s } = request;
  const claims = { role, ...(bots ? { bots } : {}), ...(strategies ? { strategies } : {}) };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1_000) + expires_in_s)
    .sign(new TextEncoder().encode(secret));
}

/** Throws `Unauthenticated`, also when there is no token. */
export async function verifyToken(token: string | undefined, secret: string): Promise<Identity> {
  if (token === undefined || token === '') throw new HoldfastError('Unauthenticated', 'A bearer token is needed.');
  const claims = claimsSchema.safeParse(await payloadOf(token, secret));
  if (!claims.success) throw new HoldfastError('Unauthenticated', 'The token lacks a claim this gateway needs.');
  const { sub, role, exp, bots, strategies } = claims.data;
  return {
    subject: sub,
    role,
    expires_at: exp * 1_000,
    ...(bots === undefined ? {} : { bots }),
    ...(strategies === undefined ? {} : { strategies }),
  };
}

async function payloadOf(token: string, secret: string): Promise<unknown> {
  try {
    const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: [ALGORITHM] };
    return (await jwtVerify(token, new TextEncoder().encode(secret), options)).payload;
  } catch (error) {
    const expired = error instanceof errors.JWTExpired;
    throw new HoldfastError('Unauthenticated', expired ? 'The token has expired.' : 'The token is not valid here.');
  }
}
