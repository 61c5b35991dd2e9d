/** What is shown where a page could not be loaded or drawn. The rest of the page, the halt above all, goes on. */
import { Component, type ReactNode } from 'react';

interface Props {
  readonly children: ReactNode;
}

export class Failure extends Component<Props, { readonly error?: Error }> {
  override state: { readonly error?: Error } = {};

  static getDerivedStateFromError(error: Error): { readonly error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <div className="empty" role="alert">
        <p className="empty-title">This page could not be shown</p>
        <p>{error.message}</p>
        <p>
          Halting works without it: <code>npx holdfast halt --all</code>
        </p>
        <button
          type="button"
          onClick={() => {
            location.reload();
          }}
        >
          Load it again, once the gateway answers
        </button>
      </div>
    );
  }
}
