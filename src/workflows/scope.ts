import { CancellationScope } from '@temporalio/workflow';

/**
 * Runs an action in a scope, now. What follows from a node's end is in the scope that node was started in already, and entering one
 * costs promises, so it is entered only from elsewhere.
 */
export function runWithin(scope: CancellationScope, action: () => void): void {
  if (CancellationScope.current() === scope) {
    action();
    return;
  }
  void scope.run(() => {
    action();
    return Promise.resolve();
  });
}
