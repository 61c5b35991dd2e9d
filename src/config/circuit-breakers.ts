/** `HOLDFAST_CIRCUIT_BREAKERS`: a JSON object of settings by resource, with durations as in the graph language. */
import { z } from 'zod';
import { durationMs } from '../graph/duration';
import { present } from '../json';
import type { BreakerSettingsGiven } from '../resilience/breakers';

const count = z.number().int().min(1).max(1_000);
const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = durationMs(value);
  if (ms !== undefined) return ms;
  context.addIssue('is not a duration: a number of seconds, or "500ms", "30s", "5m", "1h"');
  return z.NEVER;
});

const settingsSchema = z
  .strictObject({
    failures: count.optional(),
    window: duration.optional(),
    open_for: duration.optional(),
    probes: count.optional(),
    successes: count.optional(),
  })
  .transform(({ window, open_for, ...counts }) => present({ ...counts, window_ms: window, open_for_ms: open_for }));

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue('is not JSON');
    return z.NEVER;
  }
});

/** `default` holds the settings of every resource that has none of its own. */
export const circuitBreakersSchema = json
  .pipe(z.record(z.string().min(1), settingsSchema))
  .transform((settings): BreakerSettingsGiven => settings);
