/**
 * Takes what a workflow counted to the test's process, after each activation. Only of files that were at work in it: the maps of all of them are a
 * megabyte, and copying that for every task made workflows under test many times slower than those of a release.
 */
import { proxySinks, type Sinks, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** That of `@temporalio/nyc-test-coverage`. */
interface CoverageSinks extends Sinks {
  coverage: { merge(counters: Readonly<Record<string, Counters>>): void };
}

interface Counters {
  s: Record<string, number>;
}

const { coverage } = proxySinks<CoverageSinks>();

export const interceptors: WorkflowInterceptorsFactory = () => ({
  internals: [
    {
      concludeActivation: (input, next) => {
        const all = (globalThis as { __coverage__?: Record<string, Counters> }).__coverage__ ?? {};
        const atWork = Object.entries(all).filter(([, { s }]) => Object.values(s).some((count) => count > 0));
        if (atWork.length > 0) {
          // A copy, because a sink is called after the counters were cleared.
          coverage.merge(JSON.parse(JSON.stringify(Object.fromEntries(atWork))) as Record<string, Counters>);
          for (const [, { s }] of atWork) for (const index of Object.keys(s)) s[index] = 0;
        }
        return next(input);
      },
    },
  ],
});
