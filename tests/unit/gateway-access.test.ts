import { describe, expect, it } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import {
  assertMaySee,
  assertNoWider,
  assertRole,
  isLoopback,
  isRestricted,
  maySee,
  refusalOf,
  rolesOf,
} from '../../src/gateway/access';
import { ROLES, createToken, verifyToken, type Identity } from '../../src/gateway/tokens';

const SECRET = 'a secret of at least thirty-two characters';
const key = new TextEncoder().encode(SECRET);
const identity = (rest: Partial<Identity> = {}): Identity => ({ subject: 's', role: 'viewer', expires_at: 0, ...rest });

describe('tokens', () => {
  it('carry role, subject, expiry and restrictions', async () => {
    const token = await createToken(
      { role: 'operator', subject: 'ada', expires_in_s: 60, bots: ['b'], strategies: ['s'] },
      SECRET,
    );
    const { expires_at, ...rest } = await verifyToken(token, SECRET);
    expect(rest).toEqual({ subject: 'ada', role: 'operator', bots: ['b'], strategies: ['s'] });
    expect(Math.abs(expires_at - Date.now() - 60_000)).toBeLessThan(2_000);
  });

  const signed = (claims: object, change: (jwt: SignJWT) => SignJWT = (jwt) => jwt, alg = 'HS256', expires = true) => {
    const jwt = new SignJWT({ role: 'admin', ...claims })
      .setProtectedHeader({ alg })
      .setIssuer('holdfast')
      .setAudience('holdfast-gateway')
      .setSubject('s');
    return change(expires ? jwt.setExpirationTime('1h') : jwt).sign(key);
  };

  it.each([
    ['none', async () => Promise.resolve(undefined)],
    ['an empty one', async () => Promise.resolve('')],
    ['nonsense', async () => Promise.resolve('a.b.c')],
    ['another secret’s', () => createToken({ role: 'admin', expires_in_s: 60 }, SECRET.toUpperCase())],
    ['an expired one', () => createToken({ role: 'admin', expires_in_s: -1 }, SECRET)],
    ['another audience’s', () => signed({}, (jwt) => jwt.setAudience('other'))],
    ['another issuer’s', () => signed({}, (jwt) => jwt.setIssuer('other'))],
    ['another algorithm’s', () => signed({}, undefined, 'HS512')],
    ['one with an unknown role', () => signed({ role: 'root' })],
    ['one that never expires', () => signed({}, undefined, 'HS256', false)],
    ['an unsigned one', async () => Promise.resolve(new UnsecuredJWT({ role: 'admin', sub: 's' }).encode())],
  ])('refuses %s', async (_, make) => {
    await expect(verifyToken(await make(), SECRET)).rejects.toMatchObject({ code: 'Unauthenticated' });
  });
});

describe('the roles of an identity', () => {
  it.each([
    ['viewer', ['viewer']],
    ['operator', ['viewer', 'operator']],
    ['admin', ['viewer', 'operator', 'admin']],
  ] as const)('of a %s are %j', (role, roles) => {
    expect(rolesOf(identity({ role }))).toEqual(roles);
  });
});

describe('access', () => {
  it('lets each role do what the ones below it may, and no more', () => {
    for (const [have, role] of ROLES.entries()) {
      for (const [need, needed] of ROLES.entries()) {
        const check = () => {
          assertRole(identity({ role }), needed);
        };
        if (have >= need) expect(check).not.toThrow();
        else expect(check).toThrow(needed);
      }
    }
  });

  it('shows what matches both bots and strategies, and hides what names neither from who is restricted', () => {
    const both = identity({ bots: ['b'], strategies: ['s'] });
    expect(maySee(both, { bot_id: 'b', strategy_id: 's' })).toBe(true);
    expect(maySee(both, { bot_id: 'b', strategy_id: 'x' })).toBe(false);
    expect(maySee(identity({ bots: ['b'] }), {})).toBe(false);
    expect(maySee(identity(), {})).toBe(true);
    expect([isRestricted(identity()), isRestricted(identity({ bots: [] }))]).toEqual([false, true]);
    expect(() => {
      assertMaySee(both, {});
    }).toThrow('do not include');
  });

  it('lets an identity be followed by the same or a narrower one of its subject alone', () => {
    const present = identity({ role: 'operator', bots: ['a', 'b'], strategies: ['s'] });
    const follows = (next: Partial<Identity>) => {
      assertNoWider(present, identity({ role: 'operator', bots: ['a'], strategies: ['s'], ...next }));
    };
    for (const next of [{}, { role: 'viewer' as const }, { bots: [] }, { bots: ['a', 'b'] }]) follows(next);
    assertNoWider(identity(), identity({ bots: ['a'] }));
    for (const [next, why] of [
      [{ subject: 'other' }, 'another subject’s'],
      [{ role: 'admin' as const }, 'a wider role'],
      [{ bots: ['a', 'c'] }, 'bots or strategies'],
      [{ strategies: ['s', 't'] }, 'bots or strategies'],
    ] as const) {
      expect(() => {
        follows(next);
      }).toThrow(why);
    }
    expect(() => {
      assertNoWider(present, identity({ role: 'viewer', strategies: ['s'] }));
    }).toThrow('bots or strategies');
  });

  it.each([
    ['127.0.0.1:8001', undefined, true],
    ['localhost:8001', 'http://localhost:8001', true],
    ['[::1]:8001', undefined, true],
    ['gate.example', 'https://gate.example', true],
    ['desk.example', 'https://desk.example', true],
    ['127.0.0.1:8001', 'https://desk.example', true],
    ['127.0.0.1:8001', 'http://127.0.0.1:9999', false],
    ['127.0.0.1:8001', 'null', false],
    ['evil.example', undefined, false],
    ['evil.example', 'http://evil.example', false],
    ['127.0.0.1.evil.example', undefined, false],
    [undefined, undefined, false],
    ['a b', undefined, false],
  ])('Host %s and Origin %s: %s', (host, origin, welcome) => {
    const rules = { host: 'gate.example', allowed_origins: ['https://desk.example'] };
    expect(refusalOf(rules, host, origin) === undefined).toBe(welcome);
  });

  it('knows loopback names', () => {
    expect(['127.0.0.1', '::1', 'localhost', '0.0.0.0', 'example.com'].map(isLoopback)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
