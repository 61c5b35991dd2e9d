import { describe, expect, it } from '@jest/globals';
import { HoldfastError } from '../../src/errors';
import { safeSecret, type SafetySettings } from '../../src/gateway/safety';

const SECRET = 'a secret of at least thirty-two characters';
const settings = (over: Partial<SafetySettings> = {}): SafetySettings => ({
  ...{ host: '0.0.0.0', jwt_secret: SECRET, allowed_origins: ['https://desk.example'] },
  ...over,
});

function mistakesOf(given: SafetySettings): readonly string[] {
  try {
    safeSecret(given);
    return [];
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'ConfigurationInvalid') throw error;
    return error.details['mistakes'] as string[];
  }
}

describe('the gateway’s settings', () => {
  it.each([
    ['on loopback with a secret alone', settings({ host: '127.0.0.1', allowed_origins: [] })],
    ['on loopback with a plain origin', settings({ host: 'localhost', allowed_origins: ['http://desk.example'] })],
    ['on a network behind TLS', settings()],
    ['in a container whose port is published on loopback', settings({ allowed_origins: ['http://127.0.0.1:8001'] })],
  ])('are safe %s', (_, given) => {
    expect(safeSecret(given)).toBe(SECRET);
  });

  it.each([
    ['no secret', settings({ jwt_secret: undefined }), 'HOLDFAST_JWT_SECRET: is needed'],
    ['no secret on loopback', settings({ host: '::1', jwt_secret: undefined }), 'HOLDFAST_JWT_SECRET: is needed'],
    ['a short secret on loopback', settings({ host: '::1', jwt_secret: 'short' }), 'at least 32 characters'],
    ['a secret of one letter', settings({ jwt_secret: 'x'.repeat(64) }), 'easily guessed'],
    ['no origins', settings({ allowed_origins: [] }), 'HOLDFAST_ALLOWED_ORIGINS: must name'],
    ['any origin', settings({ allowed_origins: ['*'] }), '* is no origin'],
    ['a page instead of an origin', settings({ allowed_origins: ['https://desk.example/page'] }), 'is no origin'],
    ['an origin without TLS', settings({ allowed_origins: ['http://desk.example:8001'] }), 'https://desk.example:8001'],
  ])('are refused with %s, and the next step is named', (_, given, mistake) => {
    expect(mistakesOf(given)).toEqual([expect.stringContaining(mistake)]);
  });

  it('are refused for every mistake at once', () => {
    expect(mistakesOf(settings({ jwt_secret: 'short', allowed_origins: ['*', 'null'] }))).toHaveLength(4);
  });
});
