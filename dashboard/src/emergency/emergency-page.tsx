/** The emergency panel: part of what is loaded first, so that it is there when the gateway no longer is. */
import { useAddress } from '../navigation';
import { useResource } from '../resource';
import { useSession } from '../session';
import { Freshness } from '../shell/parts';
import { CommandList } from './command-list';
import { Drill } from './drill';
import { GLOBAL, commandLine } from './facts';
import { FlattenPanel } from './flatten-panel';
import { DeskHistory } from './history';
import { Limits, Permits } from './limits';
import { RaisePanel } from './raise-panel';
import { SetLimits } from './set-limits';
import { StoppedScopes } from './stopped-scopes';

const EVERY_MS = 2_000;
const GRAPHS_EVERY_MS = 60_000;

export function EmergencyPage() {
  const session = useSession();
  const { query } = useAddress();
  const reading = useResource(session.desk, EVERY_MS);
  useResource(session.deployments, GRAPHS_EVERY_MS);
  const scope = query.get('scope') ?? GLOBAL;
  const { data: desk, problem } = reading;
  return (
    <>
      <div className="page-head">
        <h1>Emergency</h1>
        <Freshness reading={reading} />
      </div>
      {problem === undefined ? null : <WithoutDesk scope={scope} />}
      <div className="columns">
        <div>
          <RaisePanel scope={scope} />
          <CommandList />
          {desk === undefined ? null : <StoppedScopes desk={desk} />}
        </div>
        <div>
          {desk === undefined ? null : (
            <Limits desk={desk}>
              <SetLimits key={scope} desk={desk} scope={scope} />
            </Limits>
          )}
          {desk === undefined ? null : <Permits desk={desk} />}
          <FlattenPanel key={scope} scope={scope} />
          <Drill />
        </div>
      </div>
      <DeskHistory />
    </>
  );
}

function WithoutDesk({ scope }: { readonly scope: string }) {
  return (
    <div className="banner" role="alert">
      <p>
        <strong>The desk could not be read.</strong> What is shown of it may be old. A halt is still sent from here;
        when nobody answers it:
      </p>
      <p>
        <code>{commandLine('halt', scope)}</code>
      </p>
    </div>
  );
}
