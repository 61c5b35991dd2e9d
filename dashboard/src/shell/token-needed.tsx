/** Where there is no token, or none that is taken: how to come by one. */
export function TokenNeeded({ reason }: { readonly reason: string }) {
  return (
    <main className="notice" id="main">
      <h1>A token is needed</h1>
      <p role="alert">{reason}</p>
      <p>Make one on the machine Holdfast runs on:</p>
      <pre>npx holdfast token create --role operator</pre>
      <p>
        and open this page with it: <code>{`${location.origin}/#token=<token>`}</code>
      </p>
      <p>
        Halting needs neither this page nor a token: <code>npx holdfast halt --all</code>
      </p>
    </main>
  );
}
