/** Why somebody halts or resumes, read from whatever they sent. */

const LONGEST = 500;

/** A halt is obeyed whatever it says: a text or `{reason}` is its reason, everything else `unspecified`. */
export function haltReason(payload: unknown): string {
  return givenReason(payload) ?? 'unspecified';
}

/** Lowering needs a message that can be understood: nothing, a text or an object with at most a textual reason; else undefined. */
export function resumeReason(payload: unknown): string | undefined {
  if (payload === undefined || payload === null) return 'unspecified';
  if (typeof payload === 'object' && !Array.isArray(payload) && !('reason' in payload)) return 'unspecified';
  return givenReason(payload);
}

function givenReason(payload: unknown): string | undefined {
  if (typeof payload === 'string') return payload.trim().slice(0, LONGEST) || 'unspecified';
  if (typeof payload !== 'object' || payload === null || !('reason' in payload)) return undefined;
  return typeof payload.reason === 'string' ? givenReason(payload.reason) : undefined;
}
