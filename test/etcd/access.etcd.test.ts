// A member of etcd with the configuration that clusters write: only the certificate of an API server opens it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:https";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { etcdClient } from "../../apiserver/storage/etcd-client.ts";
import { etcdConfig } from "../../cli/cluster/control-planes.ts";
import { etcdClientCredentials } from "../../cli/cluster/credentials.ts";
import { type Authority, newAuthority, type Pem } from "../../cli/cluster/pki.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { freePort } from "./cluster.ts";

const world = realWorld(() => {});
const place = { name: "lab-control-plane", ip: "127.0.0.1" };
const folder = mkdtempSync(join(tmpdir(), "orrery-etcd-access-"));
let own: Authority;
let pairs: Readonly<Record<string, Pem>>;
let ports: readonly number[];
let child: ChildProcess;

beforeAll(async () => {
  own = await newAuthority("etcd-clients-ca", world.clock.now());
  pairs = await etcdClientCredentials(own, place);
  const files = { "etcd-clients-ca.crt": own.pem.cert, "etcd-server.crt": pairs["etcd-server"]!.cert };
  for (const [name, text] of Object.entries({ ...files, "etcd-server.key": pairs["etcd-server"]!.key }))
    writeFileSync(join(folder, name), text);
  ports = await Promise.all([freePort(), freePort(), freePort()]);
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  const text = JSON.stringify(etcdConfig(place, [place], "new"))
    .replaceAll("/etc/orrery", folder)
    .replaceAll("/var/lib/store/etcd", data)
    .replaceAll(/:(237|238)(9|0|1)/g, (_, ...[, digit]) => `:${ports[digit === "9" ? 0 : digit === "0" ? 1 : 2]}`);
  writeFileSync(join(folder, "etcd.json"), text);
  child = spawn("etcd", ["--config-file", join(folder, "etcd.json")], { stdio: "ignore" });
  await expectHealth();
});
afterAll(async () => {
  child.kill("SIGKILL");
  await once(child, "exit");
  rmSync(folder, { recursive: true });
});

async function expectHealth(): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const health = await fetch(`http://127.0.0.1:${ports[2]}/health`).catch(() => undefined);
    if (health?.ok) return;
    await world.clock.sleep(100);
  }
  throw new Error("etcd did not become healthy");
}

/** The outcome of one call by a client with these certificates. */
async function outcome(scheme: "http" | "https", pair: Pem | undefined, ca: string): Promise<string> {
  const stop = new AbortController();
  const buffers = pair && { ca: Buffer.from(ca), cert: Buffer.from(pair.cert), key: Buffer.from(pair.key) };
  const options = { hosts: [`${scheme}://localhost:${ports[0]}`], root: "/orrery", ...(buffers && { tls: buffers }) };
  try {
    return `revision ${await etcdClient(options, world.clock, stop.signal).revision()}`;
  } catch {
    return "refused";
  } finally {
    stop.abort();
  }
}

/** The status of a call of the gateway by a client without a certificate. */
const withoutCertificate = (): Promise<number | string> =>
  new Promise((resolve) => {
    const url = `https://localhost:${ports[0]}/v3/kv/range`;
    const call = request(url, { method: "POST", ca: own.pem.cert, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on("error", () => resolve("refused"));
    call.end(JSON.stringify({ key: "AA==" }));
  });

test("the API server's certificate opens the store", async () => {
  expect(await outcome("https", pairs["etcd-client"], own.pem.cert)).toBe("revision 1");
});

test("without a certificate, in plain text, or with one of another authority, it stays closed", async () => {
  const cluster = await newAuthority("cluster-ca", world.clock.now());
  const admin = await cluster.issue({ name: "kubernetes-admin", groups: ["system:masters"], use: "client" });
  const peers = await (await newAuthority("etcd-ca", world.clock.now())).issue({ name: "etcd-peer", use: "peer" });
  const expired = await own.issue({ name: "kube-apiserver-etcd-client", use: "client", days: -1 });
  expect(await outcome("http", undefined, own.pem.cert)).toBe("refused");
  expect(await withoutCertificate()).toBe("refused");
  for (const pair of [admin, peers, expired]) expect(await outcome("https", pair, own.pem.cert)).toBe("refused");
});

test("an API server does not speak with an etcd of another authority", async () => {
  const other = await newAuthority("other-ca", world.clock.now());
  expect(await outcome("https", pairs["etcd-client"], other.pem.cert)).toBe("refused");
});

test("what is open without a certificate are health and metrics, and no keys", async () => {
  const at = `http://127.0.0.1:${ports[2]}`;
  expect(await (await fetch(`${at}/health`)).json()).toMatchObject({ health: "true" });
  const keys = await fetch(`${at}/v3/kv/range`, { method: "POST", body: JSON.stringify({ key: "AA==" }) });
  expect(keys.status).toBe(404);
});
