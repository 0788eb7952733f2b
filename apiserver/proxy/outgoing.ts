// Outgoing requests of the proxies: dialled directly, or through the kubelet of the pod.
import { type ClientRequest, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Clock } from "../../machinery/world.ts";
import type { Kubelets } from "../kubelets/kubelets.ts";
import { connectToPod } from "../kubelets/pod-connection.ts";
import type { Lines } from "./proxy-headers.ts";
import type { Behind } from "./proxy-target.ts";

/** So long we try to reach somebody. */
const connectWithinMs = 30_000;

/** The host and port as links name them. */
export const hostOf = ({ host, port }: Behind): string => {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === "" ? name : `${name}:${port}`;
};

/** The port of a scheme for which none is named. */
export const defaultPort = ({ scheme }: Behind): string => (scheme === "https" ? "443" : "80");

/** Where requests go out. */
export interface Outgoing {
  readonly kubelets: Kubelets;
  readonly clock: Clock;
  readonly to: Behind;
}
/** What is asked there. */
export interface Letter {
  readonly method: string;
  readonly path: string;
  readonly headers: Lines;
}

/** The connection to a pod that is reached through its kubelet; others are dialled when the request is made. */
async function dialled({ kubelets, clock, to }: Outgoing): Promise<Duplex | undefined> {
  if (!to.pod) return undefined;
  const port = Number(to.port || defaultPort(to));
  const connection = await connectToPod(kubelets, to.pod, port, { clock, withinMs: connectWithinMs });
  return to.scheme === "https" ? connectTls({ socket: connection, rejectUnauthorized: false }) : connection;
}

/** A request on its way; it is given up when nobody answers the door. */
export async function sendTo(out: Outgoing, { method, path, headers }: Letter): Promise<ClientRequest> {
  const { clock, to } = out;
  if (to.port !== "" && !/^\d+$/.test(to.port)) throw new Error(`dial tcp: lookup tcp/${to.port}: unknown port`);
  const connection = await dialled(out);
  const letter = { host: to.host, port: to.port || undefined, method, path, headers };
  if (connection) return httpRequest({ ...letter, createConnection: () => connection });
  const ask = to.scheme === "https" ? httpsRequest : httpRequest;
  const upstream = ask({ ...letter, agent: false, ...(to.tls ?? { rejectUnauthorized: false }) });
  const connected = new AbortController();
  for (const event of ["response", "upgrade", "close"]) upstream.once(event, () => connected.abort());
  upstream.once("socket", (socket) => socket.once("connect", () => connected.abort()));
  clock.sleep(connectWithinMs, connected.signal).then(
    () => upstream.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })),
    () => {},
  );
  return upstream;
}
