// An API server on a free loopback port, with memory storage and its own certificates.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtinKinds } from "../../api/builtin/kinds.ts";
import { type KindRegistry, kindRegistry } from "../../machinery/kind-registry.ts";
import { memoryStorage } from "../../apiserver/storage/log.ts";
import type { Extension } from "../../apiserver/request/request-response.ts";
import type { World } from "../../machinery/world.ts";
import type { Storage } from "../../apiserver/storage/storage.ts";
import { type ApiServer, type ServerOptions, apiServer } from "../../apiserver/server.ts";
import { adminCredentials, kubeconfig } from "../../cli/cluster/credentials.ts";
import { type Authority, type Pem, newAuthority, newSigningKey } from "../../cli/cluster/pki.ts";
import type { Client } from "../../machinery/client.ts";
import { realWorld } from "../../machinery/real-world.ts";

/** A listening server and administrator credentials. */
export interface TestServer {
  readonly url: string;
  readonly ca: string;
  readonly admin: Pem;
  /** Signs certificates that this server and its clients trust. */
  readonly authority: Authority;
  /** A kubeconfig file that is valid while the server runs. */
  readonly kubeconfig: string;
  /** The served kinds. */
  readonly kinds: KindRegistry;
  /** The server's own client of the same registry, without HTTP. */
  readonly inProcess: Client;
  /** A client of a component of the control plane in the server's process. */
  readonly as: ApiServer["as"];
  /** Signs the tokens of service accounts, as PEM. */
  readonly tokenKey: string;
  /** Compacts all history. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

export interface ListeningOptions
  extends Pick<
    ServerOptions,
    "timeouts" | "admission" | "audit" | "authentication" | "authorizationMode" | "explanations" | "tracing"
  > {
  readonly world?: World;
  /** What serves further paths. */
  readonly extensions?: (api: ApiServer) => readonly Extension[];
  readonly storage?: Storage;
  /** By default one of its own. */
  readonly authority?: Authority;
}

export async function listeningServer(options: ListeningOptions = {}): Promise<TestServer> {
  const { world = realWorld(() => {}), storage = memoryStorage(world.clock.now) } = options;
  const kinds = kindRegistry(builtinKinds);
  const authority = options.authority ?? (await newAuthority("test", world.clock.now()));
  const server = await authority.issue({ name: "kube-apiserver", hosts: ["127.0.0.1", "localhost"], use: "server" });
  const admin = await adminCredentials(authority);
  const tokenKey = await newSigningKey();
  const stop = new AbortController();
  const tls = { ca: authority.pem.cert, ...server };
  const api = apiServer({
    storage,
    world,
    kinds,
    host: "127.0.0.1",
    port: 0,
    tls,
    serviceCidr: "10.96.0.0/16",
    // A documentation address: unreachable, and not a loopback address.
    advertise: "192.0.2.1",
    tokens: { issuer: "https://kubernetes.default.svc.cluster.local", key: tokenKey },
    kubeletClient: { ca: authority.pem.cert, ...admin },
    ...(options.timeouts && { timeouts: options.timeouts }),
    ...(options.admission && { admission: options.admission }),
    ...(options.audit && { audit: options.audit }),
    ...(options.authentication && { authentication: options.authentication }),
    ...(options.authorizationMode && { authorizationMode: options.authorizationMode }),
    ...(options.explanations && { explanations: options.explanations }),
    ...(options.tracing && { tracing: options.tracing }),
  });
  const { port, closed } = await api.listen(stop.signal, options.extensions?.(api));
  const url = `https://127.0.0.1:${port}`;
  const folder = mkdtempSync(join(tmpdir(), "orrery-server-"));
  const file = join(folder, "kubeconfig");
  writeFileSync(file, kubeconfig("test", url, authority.pem.cert, admin), { mode: 0o600 });
  return {
    url,
    kinds,
    ca: authority.pem.cert,
    admin,
    authority,
    kubeconfig: file,
    inProcess: api.loopback,
    as: api.as,
    tokenKey,
    compact: async () => storage.compact(await storage.revision()),
    async close() {
      stop.abort();
      await closed;
      rmSync(folder, { recursive: true });
    },
  };
}
