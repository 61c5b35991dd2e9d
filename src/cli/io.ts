import { styleText } from 'node:util';
import type { Command } from 'commander';

/** What a command may touch of the process it runs in; a test gives its own. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** All of stdin. */
  readonly input: () => Promise<string>;
  /** One line of stdin, after the question was shown; empty when there is none. */
  readonly ask: (question: string) => Promise<string>;
  /** Whether `out` is a terminal that shows colours. */
  readonly color: boolean;
  /** Absent means the process's own. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Who commands, as the desk records it. */
  readonly actor: string;
  /** Calls the handler on Ctrl-C instead of ending the process, until the returned function is called. */
  readonly onInterrupt: (handler: () => void) => () => void;
}

export type Tone = 'good' | 'bad' | 'busy' | 'quiet' | 'strong';

/** One command's output: lines for people, or one JSON value for programs. */
export interface Ui {
  readonly json: boolean;
  readonly line: (text?: string) => void;
  /** One JSON value on one line. */
  readonly data: (value: unknown) => void;
  /** For people even where the output goes to a program. */
  readonly note: (text: string) => void;
  readonly paint: (tone: Tone, text: string) => string;
}

const styles = { good: 'green', bad: 'red', busy: 'yellow', quiet: 'dim', strong: 'bold' } as const;

export function uiOf(command: Command, io: Io): Ui {
  const { json = false, color = true } = command.optsWithGlobals<{ json?: boolean; color?: boolean }>();
  const painted = io.color && color && !json;
  return {
    json,
    line: (text = '') => {
      io.out(`${text}\n`);
    },
    data: (value) => {
      io.out(`${JSON.stringify(value)}\n`);
    },
    note: (text) => {
      io.err(`${text}\n`);
    },
    paint: (tone, text) => (painted ? styleText(styles[tone], text, { validateStream: false }) : text),
  };
}
