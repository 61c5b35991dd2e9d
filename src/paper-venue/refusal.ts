/** What the venue refuses, in its dialect's codes. */

/** Answered as `{code, msg}`. The texts are Binance's own: clients tell refusals apart by them. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: number;
  readonly status: number;

  constructor(code: number, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const refusals = {
  unavailable: () => new Refusal(-1001, 'Internal error; unable to process your request. Please try again.', 503),
  tooManyRequests: () => new Refusal(-1003, 'Too much request weight used; please slow down.', 429),
  unsupported: () => new Refusal(-1020, 'This operation is not supported.'),
  outsideWindow: () => new Refusal(-1021, 'Timestamp for this request is outside of the recvWindow.'),
  aheadOfTime: () => new Refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time."),
  badSignature: () => new Refusal(-1022, 'Signature for this request is not valid.'),
  illegal: (name: string) => new Refusal(-1100, `Illegal characters found in parameter '${name}'.`),
  missing: (name: string) =>
    new Refusal(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`),
  notRequired: (name: string) => new Refusal(-1106, `Parameter '${name}' sent when not required.`),
  tooPrecise: (name: string) => new Refusal(-1111, `Parameter '${name}' has too much precision.`),
  badTimeInForce: () => new Refusal(-1115, 'Invalid timeInForce.'),
  badType: () => new Refusal(-1116, 'Invalid orderType.'),
  badSide: () => new Refusal(-1117, 'Invalid side.'),
  badInterval: () => new Refusal(-1120, 'Invalid interval.'),
  badSymbol: () => new Refusal(-1121, 'Invalid symbol.'),
  badWindow: () => new Refusal(-1131, 'recvWindow must be less than 60000.'),
  filter: (name: string) => new Refusal(-1013, `Filter failure: ${name}`),
  invalid: (name: string) => new Refusal(-1013, `Invalid ${name}.`),
  rejected: (message: string) => new Refusal(-2010, message),
  unknownOrder: () => new Refusal(-2011, 'Unknown order sent.'),
  cancelRefused: () => new Refusal(-2011, 'Order was not canceled due to cancel restrictions.'),
  noSuchOrder: () => new Refusal(-2013, 'Order does not exist.'),
  subscribed: () => new Refusal(-2035, 'User Data Stream subscription already active.'),
  noKey: () => new Refusal(-2014, 'API-key format invalid.', 401),
  badKey: () => new Refusal(-2015, 'Invalid API-key, IP, or permissions for action.', 401),
} as const;
