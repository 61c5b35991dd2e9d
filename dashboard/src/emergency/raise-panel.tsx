/** Raising: alert, halt, shutdown. Never disabled: whether it may be done is the gateway's and the desk's to say. */
import { useEffect, useRef, useState } from 'react';
import { setQuery, useAddress } from '../navigation';
import { useValue } from '../observable';
import { useSession } from '../session';
import { Field } from '../shell/field';
import { Panel } from '../shell/parts';
import type { Action } from './command';
import { GLOBAL, commandLine } from './facts';
import { HoldButton } from './hold-button';
import { nameOfScope, scopesOffered } from './scopes';

const NO_REASON = 'dashboard: no reason given';

export function RaisePanel({ scope }: { readonly scope: string }) {
  const { commands } = useSession();
  const [reason, setReason] = useState('');
  const [cancels, setCancels] = useState<Cancels>('none');
  const halt = useFocusOnDemand();
  const raise = (action: Action) => {
    const more = action === 'alert' ? {} : MORE[cancels];
    void commands.send({ action, scope, reason: reason.trim() || NO_REASON, more });
  };
  return (
    <Panel title="Stop">
      <div className="fields">
        <ScopePicker scope={scope} />
        <Field label="Reason, for the record" value={reason} onChange={setReason} placeholder={NO_REASON} />
        <CancelPicker value={cancels} onChange={setCancels} />
      </div>
      <div className="stops">
        {RAISES.map(({ action, verb, className }) => (
          <HoldButton
            key={action}
            button={action === 'halt' ? halt : undefined}
            className={className}
            onFire={() => {
              raise(action);
            }}
          >
            {verb} {nameOfScope(scope)}
          </HoldButton>
        ))}
      </div>
      <RaiseNotes scope={scope} />
    </Panel>
  );
}

const RAISES = [
  { action: 'halt', verb: 'Halt', className: 'danger big' },
  { action: 'shutdown', verb: 'Shut down', className: 'danger' },
  { action: 'alert', verb: 'Alert', className: '' },
] as const;

type Cancels = keyof typeof MORE;
const MORE = {
  none: {},
  orders: { cancel_open: true },
  stops: { cancel_open: true, cancel_stops: true },
} as const;
const CANCELS: readonly (readonly [Cancels, string])[] = [
  ['none', 'leave them as they are'],
  ['orders', 'cancel them, keep protective stops'],
  ['stops', 'cancel them, protective stops too'],
];

function CancelPicker({ value, onChange }: { readonly value: Cancels; readonly onChange: (value: Cancels) => void }) {
  return (
    <label>
      Orders that rest at venues
      <select
        value={value}
        onChange={(event) => {
          onChange(event.target.value as Cancels);
        }}
      >
        {CANCELS.map(([each, words]) => (
          <option key={each} value={each}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

function ScopePicker({ scope }: { readonly scope: string }) {
  const { desk, deployments } = useSession();
  const groups = scopesOffered(useValue(desk.reading).data, useValue(deployments.reading).data ?? [], scope);
  return (
    <label>
      What
      <select
        value={scope}
        onChange={(event) => {
          setQuery({ scope: event.target.value === GLOBAL ? '' : event.target.value });
        }}
      >
        <option value={GLOBAL}>everything</option>
        {groups.map(({ title, scopes }) => (
          <optgroup key={title} label={title}>
            {scopes.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

function RaiseNotes({ scope }: { readonly scope: string }) {
  const { bearer } = useSession();
  return (
    <>
      <p className="quiet">
        Hold for 0.8 s, or press Enter. A halt sells nothing and loses no work: what it stops goes on after a resume. A
        shutdown also cancels executions, and needs two persons to be lifted.
      </p>
      {bearer?.role === 'viewer' ? (
        <p className="problem">This token is a viewer’s: the gateway will refuse it.</p>
      ) : null}
      <p className="quiet">
        Without this page: <code>{commandLine('halt', scope)}</code>
      </p>
    </>
  );
}

/** Who comes by the shortcut or the skip link has the finger on the halt; each time anew, so the address forgets it. */
function useFocusOnDemand() {
  const { query } = useAddress();
  const wanted = query.get('focus') === 'halt';
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!wanted) return;
    button.current?.focus();
    setQuery({ focus: '' });
  }, [wanted]);
  return button;
}
