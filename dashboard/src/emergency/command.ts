/** A command to the desk, and what became of it. */
import type { EmergencyAnswer } from 'holdfast/client';

export type Action = 'alert' | 'halt' | 'shutdown' | 'resume' | 'approve' | 'flatten' | 'set_limits';

export interface Order {
  readonly action: Action;
  readonly scope: string;
  readonly reason: string;
  /** What the action needs beside these. */
  readonly more: Readonly<Record<string, unknown>>;
}

export interface Commanded extends Order {
  readonly command_id: string;
  /** Milliseconds since 1970, of this browser. */
  readonly requested_at: number;
  readonly tries: number;
  readonly outcome: Outcome;
}

export type Outcome =
  /** With what went wrong at the last try. */
  | { readonly kind: 'asked'; readonly words?: string }
  | { readonly kind: 'unanswered'; readonly words?: string }
  | { readonly kind: 'answered'; readonly answer: EmergencyAnswer; readonly after_ms: number }
  | { readonly kind: 'refused'; readonly words: string };
