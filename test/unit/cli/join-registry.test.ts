// The cluster's registry for a machine that joins, played by a server that requires certificates as it does.
import { once } from "node:events";
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instant } from "../../../api/meta.ts";
import { registryCredentials } from "../../../cli/cluster/credentials.ts";
import { newAuthority } from "../../../cli/cluster/pki.ts";
import { reachesRegistry, trustRegistry } from "../../../cli/join/registry.ts";
import { pairIn, writePair } from "../../../kubelet/certificates/certificate-file.ts";

const now = instant(Date.now());
const [own, other] = [await newAuthority("own-ca", now), await newAuthority("other-ca", now)];
const node = await own.issue({ name: "system:node:n1", groups: ["system:nodes"], use: "client" });
const stranger = await other.issue({ name: "system:node:n1", groups: ["system:nodes"], use: "client" });
const folder = mkdtempSync(join(tmpdir(), "join-registry-"));
let server: Server;
let address: string;

beforeAll(async () => {
  const pem = await registryCredentials(own, { name: "lab-registry", ip: "127.0.0.1" });
  const tls = { ...pem, ca: own.pem.cert, requestCert: true, rejectUnauthorized: true };
  server = createServer(tls, ({ url }, response) => void response.writeHead(url === "/v2/" ? 200 : 404).end("{}"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  address = `127.0.0.1:${(server.address() as { readonly port: number }).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

test("it is used when it is within reach, is the cluster's, and serves the node", async () => {
  const ca = own.pem.cert;
  expect(await reachesRegistry(address, { ca, ...node })).toBe(true);
  expect(await reachesRegistry(address, { ca, ...stranger })).toBe(false);
  expect(await reachesRegistry(address, { ca: other.pem.cert, ...node })).toBe(false);
  expect(await reachesRegistry("127.0.0.1:1", { ca, ...node })).toBe(false);
});

test("the engine finds the authority, and certificate and key in the file that the kubelet renews", async () => {
  const pairFile = join(folder, "pki", "current.pem");
  for (const pair of [node, stranger]) {
    await writePair(pairFile, pair);
    await trustRegistry("10.0.0.1:5000", { ca: own.pem.cert, pairFile }, folder);
    const at = (name: string): string => join(folder, "10.0.0.1:5000", name);
    expect(readFileSync(at("ca.crt"), "utf8")).toBe(own.pem.cert);
    for (const name of ["client.cert", "client.key"]) {
      expect(readlinkSync(at(name))).toBe(pairFile);
      expect(pairIn(readFileSync(at(name), "utf8"))).toEqual(pair);
    }
  }
});
