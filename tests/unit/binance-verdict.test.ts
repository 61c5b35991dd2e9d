import { describe, expect, it } from '@jest/globals';
import { judge } from '../../src/venues/binance-verdict';

const refused = (code: number, msg: string, status = 400) => ({ status, body: JSON.stringify({ code, msg }) });

describe('an answer to an order', () => {
  it('is a yes when it is a success with something to read', () => {
    expect(judge({ status: 200, body: '{"orderId":1}' }, 'order')).toEqual({ kind: 'yes', value: { orderId: 1 } });
  });

  it.each([
    [refused(-2010, 'Account has insufficient balance for requested action.'), 'InsufficientFunds'],
    [refused(-2010, 'Market is closed.'), 'OrderRejected'],
    [refused(-2010, 'Order would immediately match and take.'), 'OrderRejected'],
    [refused(-1013, 'Filter failure: LOT_SIZE'), 'OrderRejected'],
    [refused(-1111, "Parameter 'quantity' has too much precision."), 'OrderRejected'],
    [refused(-1121, 'Invalid symbol.'), 'OrderRejected'],
    [refused(-1021, 'Timestamp for this request is outside of the recvWindow.'), 'OrderRejected'],
    [refused(-1022, 'Signature for this request is not valid.'), 'VenueRefused'],
    [refused(-2014, 'API-key format invalid.', 401), 'VenueRefused'],
    [refused(-2015, 'Invalid API-key, IP, or permissions for action.', 401), 'VenueRefused'],
    [refused(-1015, 'Too many new orders.', 429), 'RateLimited'],
    [refused(-1003, 'Too much request weight used.'), 'RateLimited'],
    [{ status: 429, body: '' }, 'RateLimited'],
    [{ status: 418, body: 'banned' }, 'RateLimited'],
    [{ status: 403, body: '<html>' }, 'RateLimited'],
    [{ status: 451, body: 'Service unavailable from a restricted location' }, 'VenueRefused'],
    [{ status: 401, body: '' }, 'VenueRefused'],
  ])('is a no where nothing was placed for certain: %j', (answer, code) => {
    expect(judge(answer, 'order')).toMatchObject({ kind: 'no', code });
  });

  it.each([
    refused(-2010, 'Duplicate order sent.'),
    refused(-1006, 'An unexpected response was received from the message bus. Execution status unknown.'),
    refused(-1007, 'Timeout waiting for response from backend server.', 408),
    refused(-1000, 'An unknown error occurred while processing the request.'),
    refused(-1001, 'Internal error; unable to process your request.'),
    refused(-1008, 'Server is currently overloaded.'),
    refused(-4999, 'A code nobody has heard of.'),
    refused(-2010, 'Account has insufficient balance for requested action.', 503),
    { status: 500, body: '{}' },
    { status: 502, body: '<html>Bad gateway</html>' },
    { status: 504, body: '' },
    { status: 200, body: '' },
    { status: 200, body: '{"orderId": 1' },
    { status: 200, body: '"ok"' },
    { status: 200, body: 'null' },
    { status: 302, body: '{}' },
    { status: 404, body: '<html>' },
    { status: 400, body: '{}' },
  ])('is neither yes nor no for everything else: %j', (answer) => {
    expect(judge(answer, 'order')).toMatchObject({ kind: 'unclear', code: 'ServiceError' });
  });
});

describe('an answer to a read', () => {
  it.each([
    [refused(-1121, 'Invalid symbol.'), 'DataUnavailable'],
    [refused(-1021, 'Timestamp for this request is outside of the recvWindow.'), 'ServiceError'],
    [refused(-1100, 'Illegal characters found.'), 'VenueRefused'],
    [refused(-2013, 'Order does not exist.'), 'VenueRefused'],
    [refused(-2015, 'Invalid API-key.', 401), 'VenueRefused'],
    [refused(-1003, 'Too many requests.', 429), 'RateLimited'],
    [refused(-1001, 'Internal error.', 503), 'ServiceError'],
  ])('says by its code whether asking again helps: %j', (answer, code) => {
    expect(judge(answer, 'read')).toMatchObject({ code });
  });

  it('keeps what the venue said, all of it: what is cut from it has to be found first', () => {
    const message = 'x'.repeat(5_000);
    expect(judge(refused(-1013, message), 'read')).toMatchObject({ message, venue_code: -1013 });
  });
});
