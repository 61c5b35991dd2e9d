/** A button that is held for 0.8 s, so that no stray click halts; Enter and assistive technology press it at once, having been aimed. */
import { useEffect, useRef, useState, type ReactNode, type Ref } from 'react';

const HOLD_MS = 800;

interface HoldButtonProps {
  readonly children: ReactNode;
  readonly className: string;
  readonly onFire: () => void;
  readonly button?: Ref<HTMLButtonElement> | undefined;
}

export function HoldButton({ children, className, onFire, button }: HoldButtonProps) {
  const [isHeld, setHeld] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const release = () => {
    clearTimeout(timer.current);
    setHeld(false);
  };
  useEffect(() => {
    return () => {
      clearTimeout(timer.current);
    };
  }, []);
  return (
    <button
      ref={button}
      type="button"
      className={`hold ${className}`}
      data-held={isHeld}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        setHeld(true);
        timer.current = setTimeout(() => {
          setHeld(false);
          onFire();
        }, HOLD_MS);
      }}
      onPointerUp={release}
      onPointerLeave={release}
      onPointerCancel={release}
      onContextMenu={(event) => {
        event.preventDefault();
      }}
      onKeyDown={(event) => {
        // A key that is kept down would press it thirty times a second, each a command of its own.
        if (event.repeat) event.preventDefault();
      }}
      onClick={(event) => {
        // Of a pointer it counts clicks; of the keyboard it is none.
        if (event.detail === 0) onFire();
      }}
    >
      {children}
    </button>
  );
}
