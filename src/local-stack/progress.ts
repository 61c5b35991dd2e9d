/** Tells a person what is being done and how long it took. */
export interface Progress {
  /** Runs one step and reports its end with its time; a step may `note` the detail shown beside its name. */
  step<T>(name: string, work: (note: (detail: string) => void) => Promise<T>): Promise<T>;
  say(line: string): void;
}

/** A step that takes longer shows a sign of life this often. */
const SIGN_OF_LIFE_MS = 10_000;

export function lineProgress(write: (line: string) => void): Progress {
  return {
    say: write,
    step: async (name, work) => {
      const begun = Date.now();
      let detail = '';
      const label = () => (detail === '' ? name : `${name}, ${detail}`);
      const alive = setInterval(() => {
        write(`… ${label()} ${seconds(Date.now() - begun)}`);
      }, SIGN_OF_LIFE_MS);
      try {
        const result = await work((text) => (detail = text));
        write(`✓ ${label()} ${seconds(Date.now() - begun)}`);
        return result;
      } catch (error) {
        write(`✗ ${label()} ${seconds(Date.now() - begun)}`);
        throw error;
      } finally {
        clearInterval(alive);
      }
    },
  };
}

export const silentProgress: Progress = lineProgress(() => undefined);

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
