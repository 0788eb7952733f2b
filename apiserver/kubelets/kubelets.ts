// The client of the kubelets' API: logs, sessions, metrics and ports of pods, over TLS with the server's client
// certificate.
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { type ErrorReason, ApiError, statusCodes } from "../../api/errors.ts";
import { type Node, nodes } from "../../api/core/nodes.ts";
import { key } from "../../api/meta.ts";
import { onAbort } from "../../machinery/abort.ts";
import { objectOf } from "../registry/codec.ts";
import type { Registry } from "../registry/verbs.ts";
import { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { Clock } from "../../machinery/world.ts";

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ECONNRESET: "read: connection reset by peer",
  ETIMEDOUT: "i/o timeout",
  EPIPE: "write: broken pipe",
};

interface Failure {
  readonly code?: string | undefined;
  readonly message: string;
  readonly address?: string;
  readonly port?: number;
}

/** One line about a failed connection to this place. */
export function dialError(e: Failure, host: string, port: number | string): string {
  const known = words[e.code ?? ""];
  if (known === undefined) return e.message;
  const place = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return `dial tcp ${place}: ${known}`;
}

/** The server's client certificate, and the authority of the kubelets'. PEM texts. */
export interface KubeletTls {
  readonly ca: Buffer | string;
  readonly cert: Buffer | string;
  readonly key: Buffer | string;
}
/** Where a kubelet listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}
/** The kubelets of the cluster, by the names of their nodes. */
export interface Kubelets {
  readonly tls: KubeletTls;
  place(node: string): Promise<Place>;
  /** The response once its headers are there; one that is no success is thrown as an error about `what`. */
  get(node: string, path: string, what: string, signal: AbortSignal): Promise<IncomingMessage>;
  /** A request that upgrades its connection, not sent yet, and its target. */
  upgrade(
    node: string,
    path: string,
    more: { readonly method: string; readonly headers: Readonly<Record<string, string>> },
  ): Promise<{ readonly upstream: ClientRequest; readonly place: Place }>;
  close(): void;
}

const usualPort = 10250;
const answerWithinMs = 5_000;

function placeOf(node: Node): Place {
  const addresses = node.status?.addresses ?? [];
  const host = ["InternalIP", "Hostname"]
    .map((type) => addresses.find((a) => a.type === type)?.address)
    .find((a) => a !== undefined);
  if (host === undefined) throw new ApiError("Unknown", "no preferred addresses found; known addresses: []");
  return { host, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? usualPort };
}

/** The content of a stream as text. */
export async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** The error for a kubelet's refusal, with its message where that is about the request or the kubelet. Pure. */
export function refusalOf(code: number, message: string, what: string): ApiError {
  if (code === 400) return new ApiError("BadRequest", message);
  if (code === 404) return new ApiError("NotFound", `the server could not find the requested resource ( ${what})`);
  const reasons = Object.entries(statusCodes) as readonly [ErrorReason, number][];
  const reason = code === 500 ? undefined : reasons.find(([, known]) => known === code)?.[0];
  return new ApiError(reason ?? "InternalError", reason ? message : `Internal error occurred: ${message}`);
}

const unreachable = ({ host, port }: Place, path: string, e: Error): ApiError =>
  new ApiError("Unknown", `Get "https://${host}:${port}${path}": ${dialError(e, host, port)}`);

/** Destroys a request with ETIMEDOUT when its response is late. Aborting the result cancels the timeout. */
export function limitWait(upstream: ClientRequest, clock: Clock, ms: number): AbortController {
  const responded = new AbortController();
  for (const event of ["response", "upgrade", "close"]) upstream.once(event, () => responded.abort());
  clock.sleep(ms, responded.signal).then(
    () => upstream.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })),
    () => {},
  );
  return responded;
}

/** Connections to kubelets, kept open between requests. */
export function kubelets(registry: Registry, tls: KubeletTls): Kubelets {
  const { clock } = registry.world;
  const agent = new Agent({ ...tls, keepAlive: true, maxFreeSockets: 2 });
  const place = async (name: string): Promise<Place> =>
    placeOf(objectOf<Node>(await registry.get(nodes, key(undefined, name))));
  return {
    tls,
    place,
    async get(node, path, what, signal) {
      const at = await place(node);
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const upstream = request({ ...at, path, agent }, resolve);
        upstream.on("error", (e) => reject(unreachable(at, path, e)));
        upstream.once(
          "close",
          onAbort(signal, () => upstream.destroy()),
        );
        limitWait(upstream, clock, answerWithinMs);
        upstream.end();
      });
      if (response.statusCode === 200) return response;
      throw refusalOf(response.statusCode ?? 500, (await textOf(response)).trim(), what);
    },
    async upgrade(node, path, more) {
      const at = await place(node);
      // A connection without the pool: it cannot be reused.
      const upstream = request({ ...at, path, ...tls, agent: false, ...more });
      limitWait(upstream, clock, answerWithinMs);
      return { upstream, place: at };
    },
    close: () => agent.destroy(),
  };
}

/** Which pod, and the node that runs it. */
export interface PodAt {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
}

/** The protocol of port-forward: a channel of data and one of errors, each of which begins with the port number. */
const protocol = "v4.channel.k8s.io";
const [dataChannel, errorChannel] = [0, 1];

/** A kubelet's error as that of a connection of this server. */
const failed = (payload: string): Error =>
  Object.assign(new Error(payload), payload.includes("ECONNREFUSED") ? { code: "ECONNREFUSED" } : {});

/** The data channel of an open session as a stream. */
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

/** Connects; rejects when the kubelet does not respond or does not have the pod. */
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
