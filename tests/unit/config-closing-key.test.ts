import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/config';

describe('HOLDFAST_CLOSING_KEY', () => {
  it('is taken as it is given, and may be left out', () => {
    const key = 'k'.repeat(32);
    expect(loadConfig({ HOLDFAST_CLOSING_KEY: key }).emergency.closing_key).toBe(key);
    expect(loadConfig({}).emergency.closing_key).toBeUndefined();
  });

  it('is refused when it is short enough to be guessed, and not repeated in the message', () => {
    const short = 'k'.repeat(31);
    const refused = () => loadConfig({ HOLDFAST_CLOSING_KEY: short });
    expect(refused).toThrow(/HOLDFAST_CLOSING_KEY: must have at least 32 characters/);
    expect(refused).not.toThrow(short);
  });
});
