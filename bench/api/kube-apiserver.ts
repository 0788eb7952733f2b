// Kubernetes' own API server in a process of its own, for comparison: KUBE_APISERVER is its path
// (`test/official/build peers` makes it).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { generateKeyPairSync } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../test/etcd/cluster.ts";
import type { Clock } from "../../machinery/world.ts";
import { sender } from "./load.ts";
import type { ServerProcess, Trust } from "./process.ts";

async function ready(server: ServerProcess, trust: Trust, clock: Clock): Promise<void> {
  const send = sender(server, trust);
  const isReady = (): Promise<boolean> =>
    send("GET", "/readyz").then(
      () => true,
      () => false,
    );
  for (let tries = 0; tries < 120; tries++) {
    if (await isReady()) return;
    await clock.sleep(500);
  }
  throw new Error("kube-apiserver is not ready after a minute");
}

/** Starts it over an etcd, with the certificates of the run. Memory usage is not measured. */
export async function startKubeApiserver(
  program: string,
  etcdHosts: readonly string[],
  trust: Trust,
  clock: Clock,
): Promise<ServerProcess> {
  const dir = await mkdtemp(join(tmpdir(), "orrery-peer-"));
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(dir, name);
    await writeFile(path, text);
    return path;
  };
  // It signs tokens with RSA or ECDSA keys only.
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const tokenKey = await file("tokens.key", String(privateKey.export({ format: "pem", type: "sec1" })));
  const flags = {
    "etcd-servers": etcdHosts.join(),
    "etcd-prefix": "/peer",
    "bind-address": "127.0.0.1",
    "secure-port": String(await freePort()),
    "client-ca-file": await file("ca.crt", trust.ca),
    "tls-cert-file": await file("tls.crt", trust.serving.cert),
    "tls-private-key-file": await file("tls.key", trust.serving.key),
    "service-account-key-file": tokenKey,
    "service-account-signing-key-file": tokenKey,
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-cluster-ip-range": "10.96.0.0/16",
    "authorization-mode": "RBAC",
    // No controller makes the default account.
    "disable-admission-plugins": "ServiceAccount",
  };
  const child = spawn(
    program,
    Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    { stdio: "ignore" },
  );
  const port = Number(flags["secure-port"]);
  const server: ServerProcess = {
    port,
    url: `https://127.0.0.1:${port}`,
    usage: () => Promise.reject(new Error("not measured")),
    async close() {
      child.kill("SIGTERM");
      await once(child, "exit");
      await rm(dir, { recursive: true });
    },
  };
  await ready(server, trust, clock);
  return server;
}
