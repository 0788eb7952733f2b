// Certificates that renew themselves, under a virtual clock and with a signer that the test plays.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { certificateSigningRequests } from "../../../api/certificates/certificatesigningrequests.ts";
import type { CertificateSigningRequest as Request } from "../../../api/generated/types.ts";
import { instant, keyOf } from "../../../api/meta.ts";
import { newAuthority } from "../../../cli/cluster/pki.ts";
import { type Pair, pairIn, readPair, validityOf, writePair } from "../../../kubelet/certificates/certificate-file.ts";
import { isCsiClient } from "../../../controllers/certificates/recognize.ts";
import { followedCertificate } from "../../../kubelet/certificates/followed.ts";
import {
  clientCertificate,
  csiCertificateFile,
  nodeCertificates,
} from "../../../kubelet/certificates/node-certificates.ts";
import { renewalOf, rotatingCertificate } from "../../../kubelet/certificates/rotation.ts";
import { parseRequest, signRequest } from "../../../machinery/certificates/requests.ts";
import { beginning } from "../../sim/virtual-clock.ts";
import { type Running, server } from "../controllers/running.ts";

const hour = 3_600_000;
const now = instant(beginning);
const authority = await newAuthority("ca", now);

let dir: string;
let running: Running;
let stop: AbortController;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "orrery-pki-"));
  running = await server();
  stop = new AbortController();
  sleeping = 0;
});
afterEach(() => {
  stop.abort(new Error("the test is over"));
  rmSync(dir, { recursive: true });
});

const at = (): typeof now => running.clock.now();
const settings = () => ({ nodeName: "n1", nodeIp: "10.0.0.1", stateDir: dir });
const all = async (): Promise<readonly Request[]> => (await running.client.list(certificateSigningRequests)).items;
const open = async (): Promise<readonly Request[]> =>
  (await all()).filter(({ status }) => !status?.certificate && !status?.conditions?.length);

/** The sleeps that are in progress. */
let sleeping: number;
/** The world of a rotation; between its sleeps it makes keys and writes files, in real time. */
const ports = () => ({
  client: running.client,
  world: {
    ...running.world,
    clock: {
      now: running.clock.now,
      sleep: (ms: number, signal?: AbortSignal) => {
        sleeping++;
        return running.clock.sleep(ms, signal).finally(() => void sleeping--);
      },
    },
  },
});

/** Lets time pass in steps until something holds; it stands still while the rotation works. */
async function until(isSo: () => boolean | Promise<boolean>, stepSeconds = 1): Promise<void> {
  for (let steps = 0; steps < 2_000; ) {
    if (await isSo()) return;
    if (sleeping > 0) {
      await running.pass(stepSeconds);
      steps++;
    } else await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("it did not happen");
}

async function sign(request: Request, ttlMs: number): Promise<void> {
  const pem = Buffer.from(request.spec.request, "base64").toString();
  const { usages = [] } = request.spec;
  const certificate = await signRequest(authority.pem, pem, { usages, ttlMs, now: at() });
  const status = { certificate: Buffer.from(certificate).toString("base64") };
  await running.client.update(certificateSigningRequests, { ...request, status }, "status");
}
async function refuse(request: Request): Promise<void> {
  const conditions = [{ type: "Denied", status: "True", message: "not today" } as const];
  await running.client.update(certificateSigningRequests, { ...request, status: { conditions } }, "approval");
}
const pairFor = (days: number): Promise<Pair> =>
  authority.issue({ name: "system:node:n1", groups: ["system:nodes"], use: "client", days });

test("renewals are spread over 70 to 90 percent of a certificate's life", () => {
  const life = { from: now, to: instant(now + 100 * hour) };
  expect([0, 0.5, 1].map((random) => (renewalOf(life, random) - now) / hour)).toEqual([70, 80, 90]);
});

test("a new pair is requested, kept, and used; the next follows before it expires", async () => {
  const initial = await pairFor(1);
  const certificate = await rotatingCertificate({ ...clientCertificate(settings()), initial }, at());
  expect(certificate.current()).toEqual(initial);
  const seen: Pair[] = [];
  certificate.onRenewed((pair) => void seen.push(pair));
  void certificate.run(ports(), stop.signal);
  // The authority dates certificates back by a day: it is past 70 percent at 9.6 hours, and past 90 at 19.2.
  await until(() => sleeping > 0);
  await running.pass(9 * 3600);
  expect(await all()).toEqual([]);
  await until(async () => (await open()).length === 1, 600);
  expect(at()).toBeLessThan(beginning + 20 * hour);
  const [request] = await open();
  expect(request!.spec.signerName).toBe("kubernetes.io/kube-apiserver-client-kubelet");
  expect(request!.spec.usages).toEqual(["digital signature", "client auth"]);
  expect(parseRequest(Buffer.from(request!.spec.request, "base64").toString())).toMatchObject({
    ...{ commonName: "system:node:n1", organizations: ["system:nodes"], dnsNames: [], ipAddresses: [] },
  });
  await sign(request!, hour);
  await until(() => seen.length === 1);
  const file = join(dir, "pki", "kubelet-client-current.pem");
  expect(certificate.current()).toBe(seen[0]);
  expect(await readPair(file)).toEqual(seen[0]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { to } = validityOf(seen[0]!);
  await until(async () => (await open()).length === 1, 60);
  expect(at()).toBeLessThan(to);
  await sign((await open())[0]!, hour);
  await until(() => seen.length === 2);
  expect(seen[1]!.key).not.toBe(seen[0]!.key);
});

test("after a refusal it is requested again, with a growing pause, and the old pair stays in use", async () => {
  const initial = await pairFor(0);
  const certificate = await rotatingCertificate({ ...clientCertificate(settings()), initial: undefined }, at());
  await writePair(clientCertificate(settings()).file, initial);
  void certificate.run(ports(), stop.signal);
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    await until(async () => (await open()).length === 1);
    times.push(at());
    await refuse((await open())[0]!);
  }
  const [first, second] = [times[1]! - times[0]!, times[2]! - times[1]!];
  expect(first).toBeGreaterThanOrEqual(2_000);
  expect(second).toBeGreaterThan(first);
  expect(await readPair(clientCertificate(settings()).file)).toEqual(initial);
});

test("a request that is never signed is given up after a quarter of an hour, and another one is made", async () => {
  const certificate = await rotatingCertificate(clientCertificate(settings()), at());
  void certificate.run(ports(), stop.signal);
  await until(async () => (await all()).length === 1);
  const began = at();
  await until(async () => (await all()).length === 2, 30);
  expect(at() - began).toBeGreaterThanOrEqual(15 * 60_000);
  expect(certificate.current()).toBeUndefined();
});

test("a serving certificate without the node's address is replaced at once", async () => {
  const names = (hosts: readonly string[]) =>
    authority.issue({ name: "system:node:n1", hosts, use: "server", days: 300 });
  for (const [hosts, isReplaced] of [
    [["n1", "10.0.0.1", "127.0.0.1"], false],
    [["n1", "10.0.0.2"], true],
    [["n2", "10.0.0.1"], true],
  ] as const) {
    const before = (await all()).length;
    const life = new AbortController();
    const { serving } = await nodeCertificates(settings(), { client: undefined, serving: await names(hosts) }, at());
    void serving.run(ports(), life.signal);
    await until(() => sleeping > 0);
    await running.pass(1);
    expect((await all()).length - before).toBe(isReplaced ? 1 : 0);
    life.abort(new Error("enough"));
    await until(() => sleeping === 0);
  }
  const request = (await all())[0]!;
  expect(request.spec.signerName).toBe("kubernetes.io/kubelet-serving");
  expect(parseRequest(Buffer.from(request.spec.request, "base64").toString())).toMatchObject({
    ...{ dnsNames: ["n1"], ipAddresses: ["10.0.0.1"] },
  });
  expect(keyOf(request)).toMatch(/^\/?csr-/);
});

test("the requested lifetime is that of the configuration", async () => {
  const certificate = await rotatingCertificate(clientCertificate({ ...settings(), certificateSeconds: 600 }), at());
  void certificate.run(ports(), stop.signal);
  await until(async () => (await all()).length === 1);
  expect((await all())[0]!.spec.expirationSeconds).toBe(600);
});

test("of the kept pair and that of the configuration, the one that is valid longer counts", async () => {
  const [short, long, expired] = [await pairFor(1), await pairFor(30), await pairFor(-1)];
  const options = clientCertificate(settings());
  const first = async (kept: Pair, initial?: Pair): Promise<Pair | undefined> => {
    await writePair(options.file, kept);
    return (await rotatingCertificate({ ...options, initial }, at())).current();
  };
  expect(await first(long, short)).toEqual(long);
  expect(await first(short, long)).toEqual(long);
  expect(await first(short)).toEqual(short);
  expect(await first(expired)).toBeUndefined();
  expect(await first(expired, short)).toEqual(short);
});

test("another process of the node waits for the pair of its drivers, and follows it", async () => {
  const file = csiCertificateFile(dir);
  const following = followedCertificate({ file }, ports().world, stop.signal);
  await until(() => sleeping > 0);
  const [expired, first, second] = [await pairFor(-1), await pairFor(1), await pairFor(2)];
  await writePair(file, expired);
  await running.pass(5);
  await writePair(file, first);
  await until(() => sleeping === 0);
  const certificate = await following;
  expect(certificate.current()).toEqual(first);
  const before = certificate.current();
  const followed = certificate.run();
  await until(() => sleeping > 0);
  await running.pass(60);
  await until(() => sleeping > 0);
  // The same object: a client with another one would open a new connection.
  expect(certificate.current()).toBe(before);
  await writePair(file, second);
  await until(() => certificate.current().cert === second.cert);
  rmSync(file);
  await running.pass(60);
  expect(certificate.current()).toEqual(second);
  stop.abort(new Error("the test is over"));
  await followed;
});

test("the certificate of the drivers is requested for the node's own", async () => {
  const { csi } = await nodeCertificates(settings(), {}, at());
  void csi.run(ports(), stop.signal);
  await until(async () => (await all()).length === 1);
  const { spec } = (await all())[0]!;
  const content = parseRequest(Buffer.from(spec.request, "base64").toString());
  expect(isCsiClient(content, spec.usages ?? [], "system:node:n1")).toBe(true);
  expect(isCsiClient(content, spec.usages ?? [], "system:node:n2")).toBe(false);
  expect(spec.signerName).toBe("kubernetes.io/kube-apiserver-client");
  await sign((await all())[0]!, hour);
  await until(() => csi.current() !== undefined);
  expect(await readPair(csiCertificateFile(dir))).toEqual(csi.current());
});

test("wherever the writing of a file is interrupted, the old pair or the new one is found", async () => {
  const [old, next] = [await pairFor(1), await pairFor(2)];
  const file = join(dir, "pair.pem");
  await writePair(file, old);
  const pairText = next.cert + next.key;
  for (let length = 0; length <= pairText.length; length += 16) {
    // A kill before the rename leaves this beside the file.
    writeFileSync(`${file}.new`, pairText.slice(0, length));
    expect(await readPair(file)).toEqual(old);
  }
  await writePair(file, next);
  expect(await readPair(file)).toEqual(next);
  expect(readFileSync(file, "utf8")).toBe(pairText);
});

test("a damaged file, or a key of another certificate, counts as no pair", async () => {
  const [one, other] = [await pairFor(1), await pairFor(1)];
  expect(pairIn(one.cert + one.key)).toEqual(one);
  for (const text of ["", one.cert, one.key, one.cert + other.key, (one.cert + one.key).slice(0, -40), "x"])
    expect(pairIn(text)).toBeUndefined();
});
