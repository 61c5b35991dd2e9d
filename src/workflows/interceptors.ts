/** What stands between the SDK and all workflows; the bundle must be made with it. */
import { workflowInfo, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { EMERGENCY_DESK } from './desk-messages';
import { AHEAD_OF_HISTORY, TaskAccount } from './task-account';

/**
 * Under the name the SDK looks for. What fails by it is given up with its instance: a task is given out again at once, and a query asked again
 * waits for it; both begin from the history.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  const { workflowType, taskQueue } = workflowInfo();
  const account = new TaskAccount(workflowType === EMERGENCY_DESK && !taskQueue.startsWith(REPLAYER));
  return {
    internals: [
      {
        activate: (input, next) => {
          const jobs = input.activation.jobs ?? [];
          const query = jobs[0]?.queryWorkflow;
          if (query != null) account.asked(query.queryId);
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

/** How the SDK names the task queue of a history that is replayed from a file: no task will bring what that ends with. */
const REPLAYER = 'fake_replay_queue';
const AHEAD = `For a query this ${AHEAD_OF_HISTORY}; it is run again from there. Nothing is lost.`;

function place() {
  const { historyLength, historySize } = workflowInfo();
  return { length: historyLength, size: historySize, at: Date.now() };
}
