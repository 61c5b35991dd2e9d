/** What stands between the SDK and all workflows; the bundle must be made with it. */
import { workflowInfo, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { TaskAccount } from './task-account';

/**
 * Under the name the SDK looks for. A task that fails by it is given out again at once, its instance is given up, and the next begins from the
 * history. Throwing the query away instead would tell whoever asked of an error, and for ever where the workflow was terminated.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  const account = new TaskAccount();
  return {
    internals: [
      {
        activate: (input, next) => {
          const jobs = input.activation.jobs ?? [];
          const [first] = jobs;
          if (first?.queryWorkflow != null) account.asked(first.queryWorkflow.queryId);
          else if (!account.begin(place(), jobs)) throw new Error(AHEAD);
          next(input);
        },
        concludeActivation: (input, next) => {
          account.end(input.commands);
          return next(input);
        },
      },
    ],
  };
};

const AHEAD = 'For a query this ran ahead of its history; it is run again from the history. Nothing is lost.';

function place() {
  const { historyLength, historySize } = workflowInfo();
  return { length: historyLength, size: historySize };
}
