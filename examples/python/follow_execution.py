"""Starts an execution and prints everything that happens in it, over any number of lost connections.

    export HOLDFAST_URL=http://127.0.0.1:8001 HOLDFAST_TOKEN=...
    python follow_execution.py WORKFLOW            # a deployed graph
    python follow_execution.py graph.json          # or one in a file

Ends with 0 when the execution completed, with 1 when it ended otherwise, with 2 when it was refused. The protocol is described in
docs/PROTOCOL.md.
"""

import json
import os
import queue
import sys
import uuid

import socketio

ANSWER_WITHIN_S = 10
ENDS = {"execution_completed", "execution_failed", "execution_cancelled"}
TOLD = ("workflow_event", "snapshot", "gap", "closing", "draining", "connect", "connect_error", "disconnect")


class Refused(Exception):
    """The gateway said no."""


class Streams:
    """Puts the events of each stream in order and remembers how far each has come.

    python-socketio hands every message to a thread of its own, so one may overtake another. `seq` rises by one within a `log_epoch`; what
    comes too early is held back. A new epoch begins at 1, and so does a stream nobody has heard of, unless a snapshot says otherwise.
    """

    def __init__(self):
        self.cursors = {}
        self._early = {}

    def take(self, event):
        """The events that may be shown now."""
        stream, epoch = event["stream"], event["log_epoch"]
        known = self.cursors.get(stream)
        if known is None or known["log_epoch"] != epoch:
            known = {"log_epoch": epoch, "seq": 0}
        if event["seq"] <= known["seq"]:
            return []
        early = self._early.setdefault((stream, epoch), {})
        early[event["seq"]] = event
        ready = []
        while known["seq"] + 1 in early:
            known = {"log_epoch": epoch, "seq": known["seq"] + 1}
            ready.append(early.pop(known["seq"]))
        if ready:
            self.cursors[stream] = known
        return ready

    def restore(self, snapshot):
        """Moves to where a snapshot stands: what lies before it is in the snapshot, not among the events to come."""
        stream, position = snapshot["stream"], snapshot["position"]
        self.cursors[stream] = position
        early = self._early.pop((stream, position["log_epoch"]), {})
        return [each for seq in sorted(early) for each in self.take(early[seq])]


class Follower:
    def __init__(self, url, token, target):
        self._url, self._token = url, token
        self._target = target
        # An id of our own: the start may be sent again until it is answered, and happens once.
        self.execution_id = f"exec_py_{uuid.uuid4().hex[:8]}"
        self._streams = Streams()
        self._inbox = queue.Queue()
        self._has_started = False
        self._socket = socketio.Client(reconnection_delay=0.25, reconnection_delay_max=2)
        for name in TOLD:
            self._socket.on(name, lambda *message, name=name: self._inbox.put((name, message)))

    def run(self):
        """Prints until the execution has ended. Returns how: `completed`, `failed` and so on."""
        try:
            # The first refusal ends the program; later ones are tried again, but for a token that is not taken any more.
            auth = {"token": self._token}
            self._socket.connect(self._url, auth=auth, transports=["websocket"], wait_timeout=ANSWER_WITHIN_S)
        except socketio.exceptions.ConnectionError as error:
            self._inbox.put(("failed", (str(error),)))
        try:
            while True:
                name, message = self._inbox.get()
                for line, end in self._handle(name, *message[:1]):
                    print(line, flush=True)
                    if end is not None:
                        return end
        finally:
            self._socket.disconnect()

    def _handle(self, name, message=None):
        if name == "connect":
            yield from self._connected()
        elif name == "workflow_event":
            yield from self._show(self._streams.take(message))
        elif name == "snapshot":
            yield f"snapshot at {message['position']['seq']}", None
            yield from self._show(self._streams.restore(message))
        elif name == "gap":
            # Events may be missing: what holds now is asked for.
            yield f"gap {message['reason']}", None
            try:
                answer = self._ask("request_state", {"execution_id": self.execution_id})
            except socketio.exceptions.SocketIOError:
                # Lost: the next connection asks for what came after our cursors.
                return
            yield from self._show(self._streams.restore(answer["snapshot"]))
        elif name == "closing":
            raise Refused(f"{message['code']}: {message['message']}")
        elif name == "connect_error":
            refusal = message.get("data") if isinstance(message, dict) else None
            if refusal and refusal["code"] == "Unauthenticated":
                raise Refused(f"{refusal['code']}: {refusal['message']}")
        elif name == "failed":
            raise Refused(message)
        else:
            # `draining` and `disconnect`: the client connects again by itself, and goes on from its cursors.
            yield name, None

    def _connected(self):
        try:
            yield from self._catch_up()
        except socketio.exceptions.SocketIOError:
            # Lost again before the answer; if not, asked once more.
            yield "no answer", None
            if self._socket.connected:
                self._inbox.put(("connect", ()))

    def _catch_up(self):
        """On every connection: the past after our cursors first, then everything live; then the start, once."""
        cursors = {stream: cursor for stream, cursor in self._streams.cursors.items() if stream == self.execution_id}
        answer = self._ask("subscribe_execution", {"execution_id": self.execution_id, "cursors": cursors})
        yield f"subscribed recovered={str(answer['recovered']).lower()} mode={answer['mode']}", None
        if not self._has_started:
            self._ask("start_execution", {**self._target, "execution_id": self.execution_id})
            self._has_started = True

    def _show(self, events):
        for event in events:
            parts = [event["type"], event.get("frame"), event.get("node_id"), event.get("reason"), event.get("error")]
            end = event["status"] if event["type"] in ENDS else None
            yield " ".join(part for part in parts if part), end

    def _ask(self, name, message):
        answer = self._socket.call(name, message, timeout=ANSWER_WITHIN_S)
        if not answer["ok"]:
            raise Refused(f"{answer['error']['code']}: {answer['error']['message']}")
        return answer


def target_of(argument):
    if not os.path.exists(argument):
        return {"workflow_id": argument}
    with open(argument, encoding="utf-8") as file:
        return {"graph": json.load(file)}


def main():
    if len(sys.argv) != 2 or "HOLDFAST_TOKEN" not in os.environ:
        print(__doc__, file=sys.stderr)
        return 2
    url = os.environ.get("HOLDFAST_URL", "http://127.0.0.1:8001")
    follower = Follower(url, os.environ["HOLDFAST_TOKEN"], target_of(sys.argv[1]))
    print(f"execution {follower.execution_id}", flush=True)
    try:
        end = follower.run()
    except Refused as error:
        print(f"refused: {error}", file=sys.stderr)
        return 2
    print(f"ended {end}", flush=True)
    return 0 if end == "completed" else 1


if __name__ == "__main__":
    sys.exit(main())
