// Certificates as a real TLS stack verifies them.
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { instant } from "../../../../api/meta.ts";
import { accessOf } from "../../../../cli/client/access.ts";
import { connection } from "../../../../cli/client/connection.ts";
import { type Kubeconfig, select } from "../../../../cli/client/kubeconfig.ts";
import {
  adminCredentials,
  controlPlaneCredentials,
  kubeconfig,
  workerCredentials,
} from "../../../../cli/cluster/credentials.ts";
import { type Authority, authorityFrom, newAuthority, type Pem } from "../../../../cli/cluster/pki.ts";
import { workerNumber } from "../../../../cli/cluster/state.ts";

const now = instant(Date.parse("2026-06-01T00:00:00Z"));
const worker = workerNumber("orrery", "172.30.0.0/24", 1, { cpus: 1, memoryBytes: 2 ** 30 });
let authority: Authority;
let server: Readonly<Record<string, Pem>>;
let node: Readonly<Record<string, Pem>>;
let admin: Pem;

beforeAll(async () => {
  authority = await newAuthority("orrery-ca", now);
  server = await controlPlaneCredentials(authority, { name: "orrery-control-plane", ip: "172.30.0.2" });
  node = await workerCredentials(authority, worker);
  admin = await adminCredentials(authority);
});

const read = (pem: Pem | undefined): X509Certificate => new X509Certificate(pem!.cert);

describe("the subject of", () => {
  const table = [
    ["the administrator", () => admin, "O=system:masters\nCN=kubernetes-admin"],
    ["a kubelet", () => node["kubelet-client"], "O=system:nodes\nCN=system:node:orrery-node-1"],
    ["a node's network", () => node["network"], "CN=system:kube-proxy"],
    [
      "the controllers beside a node's drivers",
      () => node["csi"],
      "O=orrery.dev:csi-drivers\nCN=orrery.dev:csi-driver:orrery-node-1",
    ],
    ["the API server to kubelets", () => server["apiserver-kubelet-client"], "CN=kube-apiserver-kubelet-client"],
    ["the scheduler", () => server["scheduler"], "CN=system:kube-scheduler"],
    ["the controllers", () => server["controller-manager"], "CN=system:kube-controller-manager"],
  ] as const;
  for (const [what, pem, subject] of table) test(what, () => expect(read(pem()).subject).toBe(subject));
});

test("the API server's certificate has all of its names and addresses", () => {
  const certificate = read(server["apiserver"]);
  for (const name of ["kubernetes", "kubernetes.default.svc.cluster.local", "localhost"])
    expect(certificate.checkHost(name)).toBe(name);
  for (const ip of ["127.0.0.1", "10.96.0.1", "172.30.0.2"]) expect(certificate.checkIP(ip)).toBe(ip);
  expect(certificate.checkIP("172.30.0.11")).toBeUndefined();
});

test("all certificates are signed by the cluster's authority", async () => {
  const ca = read(authority.pem);
  const stranger = read((await newAuthority("orrery-ca", now)).pem);
  for (const pem of [admin, ...Object.values(server), ...Object.values(node)]) {
    expect(read(pem).verify(ca.publicKey)).toBe(true);
    expect(read(pem).verify(stranger.publicKey)).toBe(false);
    expect(read(pem).ca).toBe(false);
  }
});

test("an authority restored from its files signs for the same cluster", async () => {
  const later = await (await authorityFrom(authority.pem, now)).issue({ name: "late", use: "client" });
  expect(read(later).checkIssued(read(authority.pem))).toBe(true);
});

test("a server trusts the kubeconfig of its own cluster only", async () => {
  const { cert, key } = server["apiserver"]!;
  const listener = createServer(
    { ca: authority.pem.cert, cert, key, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const socket = request.socket as TLSSocket;
      response.end(socket.authorized ? socket.getPeerCertificate().subject.CN : "a stranger");
    },
  );
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const url = `https://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const config = parse(kubeconfig("orrery", url, authority.pem.cert, admin)) as Kubeconfig;
  const access = await accessOf(select(config, { environment: {} }));
  const other = await adminCredentials(await newAuthority("orrery-ca", now));
  expect(await connection(access).get("/")).toBe("kubernetes-admin");
  expect(await connection({ ...access, ...other }).get("/")).toBe("a stranger");
  listener.closeAllConnections();
  listener.close();
});
