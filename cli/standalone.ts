// Configures a control plane without nodes: creates its authority, keys and kubeconfig in a folder of its own.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { realWorld } from "../machinery/real-world.ts";
import { type ServerConfig, serverConfig } from "./cluster/config.ts";
import { controlPlaneCredentials } from "./cluster/credentials.ts";
import { authorityIn, pemFiles, writeAll, writeKubeconfig } from "./cluster/node-files.ts";
import { monitoringConfig, retentionMs } from "./cluster/monitoring.ts";
import { clusterDir } from "./paths.ts";
import { type Authority, newAuthority, newSigningKey } from "./cluster/pki.ts";

/** The options of a standalone server. */
export interface StandaloneOptions {
  readonly name: string;
  readonly port: string;
  readonly store: "sqlite" | "memory";
  readonly metricsRetention: string;
}

/** Reads the authority of an earlier run, so that its kubeconfigs stay valid; creates one the first time. */
async function authority(dir: string, name: string): Promise<Authority> {
  const now = realWorld(() => {}).clock.now();
  if (existsSync(join(dir, "ca.crt"))) return authorityIn(dir, now);
  const created = await newAuthority(name, now);
  await writeAll(dir, pemFiles({ ca: created.pem }));
  return created;
}

/** Writes the files of a standalone server and returns its configuration. */
export async function standalone({ name, port, store, metricsRetention }: StandaloneOptions): Promise<ServerConfig> {
  const dir = clusterDir(name, "server");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const ca = await authority(dir, name);
  // The signing key of an earlier run is kept, so that its tokens stay valid.
  if (!existsSync(join(dir, "sa.key"))) await writeAll(dir, { "sa.key": await newSigningKey() });
  await writeAll(dir, pemFiles(await controlPlaneCredentials(ca, { name, ip: "127.0.0.1" })));
  await writeKubeconfig(name, `https://127.0.0.1:${port}`, ca);
  const file = join(dir, "store.db");
  const config = serverConfig(dir, "127.0.0.1", store === "memory" ? { kind: "memory" } : { kind: "sqlite", file });
  const metrics = monitoringConfig(join(dir, "metrics"), retentionMs(metricsRetention));
  return { ...config, ...metrics, listen: { host: "127.0.0.1", port: Number(port) } };
}
