import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { classifyError } from '../../src/activities/classify-error';
import { errorCatalogue, HoldfastError, isErrorCode, messageOf, unreachable, type ErrorCode } from '../../src/errors';

const coded = (code: string) => Object.assign(new Error('socket'), { code });

describe('whether a retry helps', () => {
  it.each(Object.keys(errorCatalogue) as ErrorCode[])('is said by the catalogue for %s', (code) => {
    expect(classifyError(new HoldfastError(code, 'as told'))).toEqual({
      type: code,
      message: 'as told',
      retryable: errorCatalogue[code].retryable,
    });
  });

  it.each([
    ['a refused connection', coded('ECONNREFUSED'), 'ConnectionError', true],
    [
      'a reset one behind a fetch',
      new TypeError('fetch failed', { cause: coded('ECONNRESET') }),
      'ConnectionError',
      true,
    ],
    ['a time-out of the connection', coded('UND_ERR_CONNECT_TIMEOUT'), 'ConnectionError', true],
    ['429', Object.assign(new Error('slow down'), { status: 429 }), 'RateLimited', true],
    ['503', Object.assign(new Error('later'), { statusCode: 503 }), 'ServiceError', true],
    ['404', Object.assign(new Error('no such thing'), { status: 404 }), 'Unexpected', false],
    ['a status that is none', Object.assign(new Error('odd'), { status: 'bad' }), 'Unexpected', false],
    [
      'a request that was aborted by its time',
      Object.assign(new Error('late'), { name: 'TimeoutError' }),
      'TimeoutError',
      true,
    ],
    ['a missing file', coded('ENOENT'), 'Unexpected', false],
    ['a mistake in the body', new TypeError('x is undefined'), 'Unexpected', false],
    ['a text', 'thrown text', 'Unexpected', false],
    ['nothing', undefined, 'Unexpected', false],
    ['null', null, 'Unexpected', false],
    ['a failure of Temporal’s own', ApplicationFailure.retryable('again', 'Busy'), 'Busy', true],
    ['a final one', ApplicationFailure.nonRetryable('no', 'Never'), 'Never', false],
    ['one without a type', ApplicationFailure.create({ message: 'x' }), 'Unexpected', true],
  ])('is judged for %s', (_, error, type, retryable) => {
    expect(classifyError(error)).toMatchObject({ type, retryable });
  });

  it('is judged for an error that is its own cause', () => {
    const error = new Error('round');
    error.cause = error;
    expect(classifyError(error)).toMatchObject({ type: 'Unexpected' });
  });

  it('comes with a message of at most a thousand characters', () => {
    expect(classifyError(new Error('x'.repeat(5_000))).message).toHaveLength(1_000);
    expect(classifyError(ApplicationFailure.nonRetryable('x'.repeat(5_000))).message).toHaveLength(1_000);
  });
});

describe('the catalogue', () => {
  it('knows its codes and nothing else', () => {
    expect(isErrorCode('NodeFailed')).toBe(true);
    expect([isErrorCode('toString'), isErrorCode('nodefailed'), isErrorCode(7)]).toEqual([false, false, false]);
  });

  it('gives an error its entry and details', () => {
    const error = new HoldfastError('EmergencyHalted', 'halted', { scope: 'global' });
    expect(error.entry).toBe(errorCatalogue.EmergencyHalted);
    expect(error.details).toEqual({ scope: 'global' });
    expect(new HoldfastError('BadRequest', 'x').details).toEqual({});
    expect(messageOf(error)).toBe('halted');
    expect(messageOf(5)).toBe('5');
  });

  it('calls an unreachable case a defect', () => {
    expect(() => unreachable('odd' as never)).toThrow('unreachable case: "odd"');
  });
});
