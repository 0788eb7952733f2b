// A connection to a port of a pod through the kubelet of its node: the server often has no route to the pod network.
import type { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { Clock } from "../../machinery/world.ts";
import { type Kubelets, textOf } from "./kubelets.ts";

/** Which pod, and the node that runs it. */
export interface PodAt {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
}

/** As kubelets forward ports: a channel of data and one of errors, each of which begins with the number of the port. */
const protocol = "v4.channel.k8s.io";
const [dataChannel, errorChannel] = [0, 1];

/** What a kubelet complains of, as if we had tried ourselves. */
const failed = (payload: string): Error =>
  Object.assign(new Error(payload), payload.includes("ECONNREFUSED") ? { code: "ECONNREFUSED" } : {});

/** The bytes in the messages of an open session. */
function bytesOf(session: WebSocket): Duplex {
  const openChannels = new Set<number>();
  const connection = new Duplex({
    read: () => session.resume(),
    write: (chunk: Buffer, _encoding, done) =>
      session.send(Buffer.concat([Buffer.of(dataChannel), chunk]), (e) => done(e ?? null)),
    destroy(e, done) {
      session.terminate();
      done(e);
    },
  });
  session.on("message", (message: Buffer) => {
    const channel = message[0]!;
    const isFirst = !openChannels.has(channel);
    openChannels.add(channel);
    if (isFirst) return;
    const payload = message.subarray(1);
    if (channel === errorChannel) connection.destroy(failed(payload.toString()));
    else if (channel === dataChannel && !connection.push(payload)) session.pause();
  });
  session.on("close", () => connection.push(null));
  session.on("error", (e) => connection.destroy(e));
  return connection;
}

/** Connects; rejects when the kubelet does not answer or does not know the pod. */
export async function connectToPod(
  kubelets: Kubelets,
  { node, namespace, pod }: PodAt,
  port: number,
  { clock, withinMs }: { readonly clock: Clock; readonly withinMs: number },
): Promise<Duplex> {
  const { host, port: kubelet } = await kubelets.place(node);
  const path = `/portForward/${encodeURIComponent(namespace)}/${encodeURIComponent(pod)}?port=${port}`;
  const name = host.includes(":") ? `[${host}]` : host;
  const session = new WebSocket(`wss://${name}:${kubelet}${path}`, [protocol], { ...kubelets.tls });
  const connected = new AbortController();
  clock.sleep(withinMs, connected.signal).then(
    () => session.terminate(),
    () => {},
  );
  return new Promise<Duplex>((resolve, reject) => {
    session.once("open", () => resolve(bytesOf(session)));
    session.once("error", reject);
    session.once("unexpected-response", (_asked, response: IncomingMessage) => {
      textOf(response).then((payload) => reject(new Error(payload.trim())), reject);
    });
  }).finally(() => connected.abort());
}
