/** What an execution makes of what its desk says. */
import { partScopesOf, permissionsOf } from '../emergency/scopes';
import { PARENT_SCOPE } from './children';
import type { EmergencyNotice } from './desk-messages';
import { DeskWatch } from './desk-watch';
import type { Execution } from './execution';
import { OWN_SCOPE } from './halts';
import { DEFAULT_DESK } from './search-attributes';

/** Follows a notice that is news. */
export function hearNotice(execution: Execution, notice: EmergencyNotice): void {
  if (execution.books.halts.isNews(notice)) follow(execution, notice);
}

function follow(execution: Execution, { state, scope, reason }: EmergencyNotice): void {
  if (permissionsOf(state).can_trade) execution.resume(scope, reason);
  else execution.halt(scope, reason);
  if (state === 'shutdown') execution.cancel();
}

export function watchDesk(execution: Execution): DeskWatch {
  const { graph } = execution.input;
  return new DeskWatch({
    desk: graph.desk ?? DEFAULT_DESK,
    scopes: partScopesOf(graph),
    isHalted: () => execution.books.halts.causes.some(({ scope }) => scope !== OWN_SCOPE && scope !== PARENT_SCOPE),
    hear: (notices) => {
      execution.guard(() => {
        execution.look();
        for (const notice of notices) hearNotice(execution, notice);
        execution.pump();
      });
    },
    die: (error) => {
      execution.die(error);
    },
  });
}
