/** How much of the gateway one client may use, and all together. */

/** So many in so many seconds, all at once or spread. */
export interface Budget {
  readonly points: number;
  readonly seconds: number;
}

export interface GatewayLimits {
  /** Clients that are connected, all together [1,000]. */
  readonly clients: number;
  /** The same from one address [200]. */
  readonly clients_per_address: number;
  /** Rooms of one connection [1,000]: each is kept for as long as it is connected. */
  readonly rooms: number;
  /** Messages of one connection [100 in 5 s]. */
  readonly messages: Budget;
  /** Raises of one connection (alert, halt, shutdown), beside its messages [100 in 5 s]. */
  readonly raises: Budget;
  /** Requests in the name of one subject [1,000 in 10 s]. */
  readonly requests: Budget;
  /** Halts over REST in the name of one subject, beside its requests [1,000 in 10 s]. */
  readonly request_raises: Budget;
  /** Characters that wait for one client before it is cut [4.5 million]: with the packet that is too much at most 5 MB. */
  readonly unread: number;
  /** How long a client may take none of what waits for it, milliseconds [4,000]. */
  readonly stalled_ms: number;
}

export const DEFAULT_LIMITS: GatewayLimits = {
  clients: 1_000,
  clients_per_address: 200,
  rooms: 1_000,
  messages: { points: 100, seconds: 5 },
  raises: { points: 100, seconds: 5 },
  requests: { points: 1_000, seconds: 10 },
  request_raises: { points: 1_000, seconds: 10 },
  unread: 4_500_000,
  stalled_ms: 4_000,
};
