// A control plane without a cluster around it: its authority, its keys and its kubeconfig, in a folder of its own.
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Instant } from "../api/meta.ts";
import { realWorld } from "../machinery/real-world.ts";
import { type KeyPair, type ServerConfig, serverConfig } from "./cluster/config.ts";
import { adminCredentials, controlPlaneCredentials, kubeconfig } from "./cluster/credentials.ts";
import { clusterDir, kubeconfigPath } from "./cluster/paths.ts";
import { type Authority, authorityFrom, newAuthority, newSigningKey, type Pem } from "./cluster/pki.ts";

/** What is asked of a server that stands alone. */
export interface Alone {
  readonly name: string;
  readonly port: string;
  readonly store: "sqlite" | "memory";
}

/** Keys are for their owner's eyes only. */
const writePem = async (dir: string, name: string, pem: Pem): Promise<KeyPair> => {
  const pair = { cert: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) };
  await writeFile(pair.cert, pem.cert);
  await writeFile(pair.key, pem.key, { mode: 0o600 });
  return pair;
};

/** The authority this server had before, so that kubeconfigs handed out keep working; a new one the first time. */
async function authorityIn(dir: string, name: string, now: Instant): Promise<Authority> {
  const [cert, key] = [join(dir, "ca.crt"), join(dir, "ca.key")];
  if (existsSync(cert))
    return authorityFrom({ cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") }, now);
  const authority = await newAuthority(name, now);
  await writePem(dir, "ca", authority.pem);
  return authority;
}

/** The key this server signed with before, so that tokens handed out keep working; a new one the first time. */
async function signingKeyIn(dir: string): Promise<string> {
  const file = join(dir, "sa.key");
  if (!existsSync(file)) await writeFile(file, await newSigningKey(), { mode: 0o600 });
  return file;
}

/** Everything a server on this machine needs, made in the cluster's folder; answers with where the kubeconfig is. */
export async function standalone({ name, port, store }: Alone): Promise<ServerConfig> {
  const dir = clusterDir(name, "server");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const authority = await authorityIn(dir, name, realWorld(() => {}).clock.now());
  const pems = await controlPlaneCredentials(authority, name, "127.0.0.1");
  const pairs = Object.fromEntries(
    await Promise.all(Object.entries(pems).map(async ([n, pem]) => [n, await writePem(dir, n, pem)] as const)),
  );
  const admin = await adminCredentials(authority);
  await writeFile(kubeconfigPath(name), kubeconfig(name, `https://127.0.0.1:${port}`, authority.pem.cert, admin), {
    mode: 0o600,
  });
  const base = serverConfig(
    name,
    "127.0.0.1",
    store === "memory" ? { kind: "memory" } : { kind: "sqlite", file: join(dir, "store.db") },
  );
  return {
    ...base,
    listen: { host: "127.0.0.1", port: Number(port) },
    pki: {
      ca: join(dir, "ca.crt"),
      serving: pairs["apiserver"]!,
      kubeletClient: pairs["apiserver-kubelet-client"]!,
      scheduler: pairs["scheduler"]!,
      controllerManager: pairs["controller-manager"]!,
      tokens: await signingKeyIn(dir),
    },
  };
}
