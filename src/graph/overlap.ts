/**
 * What happens when a run is due while the one before still runs: drop it, keep one or all of them for afterwards, cancel the running
 * one first, or start it beside. Temporal's *terminate other* is not offered: it would cut executions between their nodes.
 */
export const OVERLAPS = ['skip', 'buffer_one', 'buffer_all', 'cancel_other', 'allow_all'] as const;
export type Overlap = (typeof OVERLAPS)[number];

export const DEFAULT_OVERLAP: Overlap = 'skip';
export const DEFAULT_TIME_ZONE = 'UTC';
