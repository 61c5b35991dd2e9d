/** What is not normal, why, whether it is sealed, and the way back. */
import { useState } from 'react';
import { clock, counted, duration } from '../format';
import { Empty, Panel, StateMark } from '../shell/parts';
import type { Desk, DeskScope } from '../wire';
import { causeWords, isStopped, notNormal } from './facts';
import { ResumeForm } from './resume-form';

export function StoppedScopes({ desk }: { readonly desk: Desk }) {
  const stopped = notNormal(desk);
  return (
    <Panel title="Not normal">
      {stopped.length === 0 ? (
        <Empty title="Everything is normal">Nothing is halted, shut down or on alert.</Empty>
      ) : (
        <ul className="scopes">
          {stopped.map((scope) => (
            <Stopped key={scope.scope} scope={scope} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Stopped({ scope }: { readonly scope: DeskScope }) {
  const [opened, setOpened] = useState<'resume' | 'approve'>();
  const { awaits_approval_until: until } = scope;
  const close = () => {
    setOpened(undefined);
  };
  return (
    <li data-scope={scope.scope}>
      <p className="scope-head">
        <strong>{scope.scope}</strong> <StateMark state={scope.state} />
        {isStopped(scope.state) ? <span className="quiet">{sealWords(scope)}</span> : null}
      </p>
      <ul className="causes">
        {scope.causes.map((cause) => (
          <li key={cause.id}>{causeWords(cause)}</li>
        ))}
      </ul>
      {until === undefined ? null : (
        <p>A resume was prepared and waits until {clock(until)} for a second person to approve it.</p>
      )}
      {opened === undefined ? (
        <div className="buttons left">
          <Opener
            name="Resume"
            of={scope.scope}
            onOpen={() => {
              setOpened('resume');
            }}
          />
          {until === undefined ? null : (
            <Opener
              name="Approve"
              of={scope.scope}
              onOpen={() => {
                setOpened('approve');
              }}
            />
          )}
        </div>
      ) : (
        <ResumeForm scope={scope} action={opened} onDone={close} />
      )}
    </li>
  );
}

function Opener({ name, of, onOpen }: { readonly name: string; readonly of: string; readonly onOpen: () => void }) {
  return (
    <button type="button" onClick={onOpen}>
      {`${name} ${of}…`}
    </button>
  );
}

function sealWords({ halted_at, sealed_at, unsettled }: DeskScope): string {
  if (sealed_at === undefined) return `closing: ${counted(unsettled, 'order')} may still be accepted`;
  const after = halted_at === undefined ? '' : ` after ${duration(sealed_at - halted_at)}`;
  return `sealed${after}: no increasing order can be accepted any more`;
}
