// A server that obeys roles, with something to steal, and attackers that send requests to it by hand.
import { connect, type TLSSocket } from "node:tls";
import { expect } from "vitest";
import type { Pem } from "../../cli/cluster/pki.ts";
import { jsonClientOf, type SendJson } from "../suites/json-client.ts";
import { listeningServer, type ListeningOptions, type TestServer } from "../suites/listening.ts";

/** What no response to an attacker may contain. */
export const treasure = "dHJlYXN1cmU=";

export interface Credentials {
  readonly token?: string;
  readonly certificate?: Pem;
  readonly headers?: Readonly<Record<string, string>>;
}
export interface Attempt extends Credentials {
  readonly method?: string;
  /** Sent as it is, without normalization. */
  readonly path: string;
  readonly body?: unknown;
}
export interface Outcome {
  readonly status: number;
  /** The head and the body, as they came. */
  readonly text: string;
}

export interface Target {
  readonly server: TestServer;
  readonly admin: SendJson;
  /** Writes the bytes of a request to a connection of its own. */
  attempt(attempt: Attempt): Promise<Outcome>;
  /** Sends it, and expects 401 or 403 (and no other), and that nothing is learned. */
  refused(attempt: Attempt, status?: 401 | 403): Promise<void>;
  /** The token of a service account, which is created if it is missing. */
  tokenOf(account: string, spec?: object): Promise<string>;
  close(): Promise<void>;
}

const requestText = ({ method = "GET", path, body, token, headers = {} }: Attempt): string => {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const all = {
    host: "127.0.0.1",
    connection: "close",
    accept: "application/json",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(text !== "" && { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path} HTTP/1.1`, ...lines, "", text].join("\r\n");
};

/** Everything that the server sends until it closes the connection. */
async function received(socket: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

export async function target(options: ListeningOptions = {}): Promise<Target> {
  const server = await listeningServer({ authorizationMode: "RBAC", ...options });
  const admin = jsonClientOf(server);
  const { hostname, port } = new URL(server.url);
  await admin("POST", "/api/v1/namespaces/kube-system/secrets", {
    metadata: { name: "crown" },
    data: { jewels: treasure },
  });
  const attempt = async (sent: Attempt): Promise<Outcome> => {
    const socket = connect({ host: hostname, port: Number(port), ca: server.ca, ...sent.certificate });
    socket.write(requestText(sent));
    const text = await received(socket);
    return { status: Number(text.slice(9, 12)), text };
  };
  return {
    server,
    admin,
    attempt,
    async refused(sent, status) {
      const outcome = await attempt(sent);
      const what = `${sent.method ?? "GET"} ${sent.path}: ${outcome.text.slice(0, 2000)}`;
      expect(status === undefined ? [401, 403] : [status], what).toContain(outcome.status);
      expect(outcome.text, what).not.toContain(treasure);
    },
    async tokenOf(account, spec = {}) {
      const accounts = "/api/v1/namespaces/default/serviceaccounts";
      await admin("POST", accounts, { metadata: { name: account } });
      const { json } = await admin("POST", `${accounts}/${account}/token`, { spec });
      return json.status.token as string;
    },
    close: () => server.close(),
  };
}

/** Gives a user rights in all namespaces, and waits until the server has seen it. */
export async function grant({ admin }: Target, user: string, ...rules: readonly object[]): Promise<void> {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const name = `test:${user.replaceAll(":", "-")}`;
  const mark = { apiGroups: [""], resources: [name], verbs: ["mark"] };
  await admin("POST", `${rbac}/clusterroles`, { metadata: { name }, rules: [...rules, mark] });
  await admin("POST", `${rbac}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
  });
  const spec = { user, resourceAttributes: { verb: "mark", resource: name } };
  const reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
  while (!(await admin("POST", reviews, { spec })).json.status.allowed);
}
