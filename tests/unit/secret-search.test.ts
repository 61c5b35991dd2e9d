/** The search that proves that no secret is anywhere: it finds one that is. */
import { describe, expect, it } from '@jest/globals';
import { findSecrets, findSignatures } from '../support/secret-search';

const PLANTED = 'Pl4nted+/"secret=9f2c51d07ab3';
const secrets = { planted: PLANTED, other: 'never-written-anywhere-0123456789' };
const bytes = Buffer.from(PLANTED);

describe('the search for secrets', () => {
  it.each([
    ['in a line of a log', `{"level":"info","msg":"sent with ${PLANTED}"}`],
    ['in JSON', JSON.stringify({ error: { request: { headers: { key: PLANTED } } } })],
    ['in JSON in JSON', JSON.stringify({ payload: JSON.stringify({ key: PLANTED }) })],
    ['in an address', `https://venue/api?key=${encodeURIComponent(PLANTED)}`],
    ['in hexadecimal', bytes.toString('hex')],
    ['in capital hexadecimal', bytes.toString('hex').toUpperCase()],
    ['in base64', Buffer.from(PLANTED).toString('base64')],
    ['in base64url', Buffer.from(PLANTED).toString('base64url')],
    ['in base64 of a longer text', Buffer.from(`{"a":"${PLANTED}"}`).toString('base64')],
    ['in base64 that begins elsewhere', Buffer.from(`{"ab":"${PLANTED}"}`).toString('base64')],
    ['in base64 that begins elsewhere still', Buffer.from(`{"abc":"${PLANTED}"}`).toString('base64url')],
    ['cut off in the middle', `sent with ${PLANTED.slice(0, 20)}`],
    ['cut off at its beginning', `…${PLANTED.slice(10)}`],
  ])('finds one %s', (where, text) => {
    const found = findSecrets({ nowhere: 'a quiet line', [where]: text }, secrets);
    expect(found.filter((each) => !each.startsWith(`${where}: planted as `))).toEqual([]);
    expect(found).not.toEqual([]);
  });

  it('finds a signature, and half of one, among other hexadecimal digits', () => {
    const signature = '0123456789abcdef'.repeat(3) + 'fedcba9876543210';
    const texts = {
      whole: `&signature=${signature}`,
      capitals: `ff${signature.toUpperCase()}ff`,
      half: `signature ${signature.slice(0, 40)}…`,
      other: 'ab'.repeat(40),
      none: 'a quiet line',
    };
    expect(findSignatures(texts, [signature])).toEqual(['whole', 'capitals', 'half']);
  });

  it('finds none where there is none, and names none', () => {
    expect(findSecrets({ log: 'sent with [secret]', history: bytes.toString('hex').slice(0, 20) }, secrets)).toEqual(
      [],
    );
    expect(findSecrets({ log: PLANTED }, secrets).join()).not.toContain(PLANTED);
  });
});
