import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../src/secret';

const PLANTED = 'planted-3f9c21';

describe('a secret', () => {
  it('is printed by nothing that prints', () => {
    const secret = new Secret(PLANTED);
    const holder = { profile: 'p', credentials: { secret } };
    const printed = [
      ['as text', secret].join(),
      String(secret),
      ''.concat(secret as unknown as string),
      JSON.stringify(holder),
      inspect(holder, { depth: 9, showHidden: true, getters: true }),
      inspect(secret, { customInspect: false, showHidden: true }),
      JSON.stringify(Object.assign({}, secret)),
      JSON.stringify(Object.entries(secret)),
      JSON.stringify(structuredClone(secret)),
    ];
    for (const text of printed) expect(text).not.toContain(PLANTED);
    expect(JSON.stringify(holder)).toContain('[secret]');
    expect(secret.reveal()).toBe(PLANTED);
  });

  it('is cut from what others say of it, unless it is too short to be told from other text', () => {
    expect(new Secret(PLANTED).cutFrom(`no such key ${PLANTED} (${PLANTED})`)).toBe('no such key [secret] ([secret])');
    expect(new Secret('a').cutFrom('a market')).toBe('a market');
  });

  it('is cut from what others say of it in every way they write it', () => {
    const value = 'planted+"/=3f9c21';
    const bytes = Buffer.from(value);
    const forms = [encodeURIComponent(value), JSON.stringify(value), 'base64', 'base64url', 'hex'].map((form) =>
      Buffer.isEncoding(form) ? bytes.toString(form) : form,
    );
    for (const form of forms) {
      const cut = new Secret(value).cutFrom(`said ${form}.`);
      expect(cut).toMatch(/^said "?\[secret\]"?=*\.$/);
    }
  });
});
