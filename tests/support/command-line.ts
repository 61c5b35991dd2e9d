import { runCommandLine } from '../../src/cli/program';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CommandLineOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly color?: boolean;
  /** Who commands; `cli:test` by default. */
  readonly actor?: string;
  /** What comes from stdin; nothing by default. */
  readonly input?: string;
  /** Given the function that does what Ctrl-C does, once the command listens for it. */
  readonly onListening?: (interrupt: () => void) => void;
  /** Given everything said on stdout so far, each time something is. */
  readonly onOut?: (soFar: string) => void;
}

/** Runs one command line inside this process. */
export async function holdfast(args: readonly string[], options: CommandLineOptions = {}): Promise<Said> {
  let out = '';
  let err = '';
  const code = await runCommandLine(args, {
    out: (text) => {
      out += text;
      options.onOut?.(out);
    },
    err: (text) => {
      err += text;
    },
    input: () => Promise.resolve(options.input ?? ''),
    ask: (question) => {
      err += question;
      return Promise.resolve((options.input ?? '').split('\n')[0] ?? '');
    },
    color: options.color ?? false,
    environment: options.environment ?? {},
    actor: options.actor ?? 'cli:test',
    onInterrupt: (handler) => {
      options.onListening?.(handler);
      return () => undefined;
    },
  });
  return { code, out, err };
}
