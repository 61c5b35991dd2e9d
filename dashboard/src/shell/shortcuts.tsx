/** Keyboard shortcuts and their list. */
import { useEffect, useRef, useState } from 'react';
import { go } from '../navigation';

const SHORTCUTS = [
  ['Alt + Shift + H', 'the emergency panel, with Halt everything under the finger: Enter halts'],
  ['Alt + Shift + O', 'the overview'],
  ['Alt + Shift + E', 'the executions'],
  ['?', 'this list'],
  ['Arrows', 'in a graph: along its edges; Home and End for its first and last node, Enter for a node’s details'],
] as const;

const PLACES: Readonly<Record<string, string>> = { KeyH: '/emergency?focus=halt', KeyO: '/', KeyE: '/executions' };

const KEPT_AS = 'holdfast.question-mark';

/** Who dictates, or rests a hand on the keys, may not want a single key to do anything. */
function usesQuestionMark(): boolean {
  return localStorage.getItem(KEPT_AS) !== 'off';
}

/** By the key's place on the keyboard: with Alt its letter is another one on many of them. */
function placeOf(event: KeyboardEvent): string | undefined {
  return event.altKey && event.shiftKey && !event.ctrlKey && !event.metaKey ? PLACES[event.code] : undefined;
}

function isQuestion({ key, target }: KeyboardEvent): boolean {
  const isTyping = target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
  return key === '?' && !isTyping && usesQuestionMark();
}

export function Shortcuts() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const place = placeOf(event);
      if (place === undefined && !isQuestion(event)) return;
      event.preventDefault();
      setOpen(place === undefined);
      if (place !== undefined) go(place);
    };
    window.addEventListener('keydown', onKey);
    return () => {
      window.removeEventListener('keydown', onKey);
    };
  }, []);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  const close = () => {
    setOpen(false);
  };
  return (
    <>
      <button
        type="button"
        className="plain"
        onClick={() => {
          setOpen(true);
        }}
      >
        Keyboard shortcuts
      </button>
      <dialog ref={dialog} aria-labelledby="shortcuts-title" onClose={close}>
        <h2 id="shortcuts-title">Keyboard shortcuts</h2>
        <ShortcutList />
        <div className="buttons">
          <button type="button" onClick={close}>
            Close
          </button>
        </div>
      </dialog>
    </>
  );
}

function ShortcutList() {
  return (
    <>
      <dl className="shortcuts">
        {SHORTCUTS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label className="check">
        <input
          type="checkbox"
          defaultChecked={usesQuestionMark()}
          onChange={(event) => {
            localStorage.setItem(KEPT_AS, event.target.checked ? 'on' : 'off');
          }}
        />
        Open this list with the single key ?
      </label>
    </>
  );
}
