// What a machine that joins trusts, what it checks about itself, and the tokens by which it joins.
import { createHash, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import type { Node, Secret } from "../../../api/generated/types.ts";
import { instant } from "../../../api/meta.ts";
import { usableToken } from "../../../api/core/bootstrap-tokens.ts";
import { newAuthority } from "../../../cli/cluster/pki.ts";
import { tokenRows, tokenSecret } from "../../../cli/generators/bootstrap-tokens.ts";
import { checkHashes, keyHash, pinnedCluster, signedContent, tokenOf } from "../../../cli/join/discovery.ts";
import { nodeNameOf } from "../../../cli/join/join.ts";
import { checkMachine, checkNeighbours, checkRanges } from "../../../cli/join/machine.ts";
import { decide, detachedSignature } from "../../../controllers/bootstraptokens/cluster-info.ts";

const now = instant(Date.parse("2026-01-01T00:00:00Z"));
const authority = await newAuthority("own-ca", now);
const other = await newAuthority("other-ca", now);
const hashOf = (pem: string): string => keyHash(new X509Certificate(pem));
const token = { id: "abcdef", secret: "0123456789abcdef" };
const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (e) {
    return (e as Error).message;
  }
  return "accepted";
};

/** The data that the cluster publishes. */
function published(rootCa: string): Readonly<Record<string, string>> {
  const [action] = decide({ server: "https://10.0.0.1:6443", rootCa })({ info: undefined, tokens: [] }, now).actions;
  const { data } = (action as unknown as { draft: { data: Record<string, string> } }).draft;
  return { ...data, "jws-kubeconfig-abcdef": detachedSignature(data["kubeconfig"]!, token) };
}
const data = published(authority.pem.cert);
const content = data["kubeconfig"]!;

test("the hash is that of the public key in DER, as openssl computes it", () => {
  const der = new X509Certificate(authority.pem.cert).publicKey.export({ type: "spki", format: "der" });
  expect(hashOf(authority.pem.cert)).toBe(`sha256:${createHash("sha256").update(der).digest("hex")}`);
});

test("the authority counts that the token has signed and whose key has the hash", () => {
  expect(signedContent(data, token)).toBe(content);
  const found = { server: "https://10.0.0.1:6443", ca: authority.pem.cert };
  expect(pinnedCluster(content, [hashOf(authority.pem.cert)])).toEqual(found);
  const both = [hashOf(other.pem.cert), hashOf(authority.pem.cert).toUpperCase().replace("SHA256", "sha256")];
  expect(pinnedCluster(content, both)).toEqual(found);
});

for (const [what, changed, message] of [
  ["a token that the cluster does not know", { "jws-kubeconfig-abcdef": undefined }, "is not one of this cluster"],
  ["no content", { kubeconfig: undefined }, "is not one of this cluster"],
  ["another authority", { kubeconfig: published(other.pem.cert)["kubeconfig"] }, "cannot be trusted"],
  ["one more letter", { kubeconfig: `${content} ` }, "cannot be trusted"],
  [
    "the signature of another secret",
    { "jws-kubeconfig-abcdef": detachedSignature(content, { ...token, secret: "0000000000000000" }) },
    "cannot be trusted",
  ],
  [
    "the signature of another token",
    { "jws-kubeconfig-abcdef": detachedSignature(content, { ...token, id: "fedcba" }) },
    "cannot be trusted",
  ],
  ["no signature of this form", { "jws-kubeconfig-abcdef": ".." }, "cannot be trusted"],
] as const)
  test(`nothing is trusted with ${what}`, () => {
    const all = Object.entries({ ...data, ...changed }).filter(([, text]) => text !== undefined);
    expect(refusal(() => signedContent(Object.fromEntries(all) as never, token))).toContain(message);
  });

test("an authority that the token has signed, with a key of another hash, is not trusted", () => {
  expect(refusal(() => pinnedCluster(content, [hashOf(other.pem.cert)]))).toContain("is not the cluster you mean");
  expect(refusal(() => pinnedCluster("a: 1", [hashOf(other.pem.cert)]))).toContain("does not name one cluster");
  expect(refusal(() => pinnedCluster("", [hashOf(other.pem.cert)]))).toContain("does not name one cluster");
});

test("tokens and hashes of another form are refused before anything is sent", () => {
  for (const text of ["", "abcdef", "abcdef.0123", "ABCDEF.0123456789abcdef", "abcdef.0123456789abcdef0", "a.b"])
    expect(refusal(() => tokenOf(text))).toBe("the token is malformed");
  const right = hashOf(authority.pem.cert);
  expect(refusal(() => checkHashes([right]))).toBe("accepted");
  for (const hashes of [[], ["sha256:12"], [right.slice(7)], [right, "md5:00"]])
    expect(refusal(() => checkHashes(hashes))).toContain("hash");
});

const attached = (name: string, cidr: string) => ({ name, address: cidr.split("/")[0]!, cidr });
const eth0 = attached("eth0", "172.30.0.50/24");
const ranges = { podRange: "10.244.0.0/16", serviceRange: "10.96.0.0/16" };
for (const [what, all, message] of [
  ["networks apart", [eth0], "accepted"],
  ["the bridge of the node's own pods", [eth0, attached("docker0", "10.244.7.1/24")], "accepted"],
  ["the bridge of other pods", [eth0, attached("docker0", "10.244.9.1/24")], "10.244.9.1/24 of docker0 overlaps"],
  ["a network in the range of services", [attached("vpn", "10.0.0.0/8")], "of vpn overlaps 10.244.0.0/16"],
  ["a service network", [attached("lab", "10.96.3.0/24")], "of lab overlaps 10.96.0.0/16"],
] as const)
  test(`ranges of a machine with ${what}`, () =>
    expect(refusal(() => checkRanges(all, ranges, "10.244.7.0/24"))).toContain(message));

const node = (name: string, address?: string): Node =>
  ({
    metadata: { name },
    status: { addresses: address === undefined ? [] : [{ type: "InternalIP", address }] },
  }) as unknown as Node;
test("other nodes have to be in a network of the machine", () => {
  const near = [node("n1", "172.30.0.11"), node("unregistered")];
  expect(refusal(() => checkNeighbours([eth0], near))).toBe("accepted");
  expect(refusal(() => checkNeighbours([eth0], [...near, node("n2", "172.30.1.12")]))).toBe(
    "these nodes are in no network of this machine, so their pods could not be reached: n2 (172.30.1.12)",
  );
});

test("a machine that has not joined before has no part of the ranges", () =>
  expect(refusal(() => checkRanges([eth0, attached("docker0", "10.244.7.1/24")], ranges, undefined))).toContain(
    "10.244.7.1/24 of docker0 overlaps",
  ));

test("a node's name is the machine's in lower case, if it is a name at all", () => {
  expect(nodeNameOf("Worker-1.example")).toBe("worker-1.example");
  for (const name of ["", "a_b", "-a", "a.", "a".repeat(254)])
    expect(refusal(() => nodeNameOf(name))).toContain("cannot be the name of a node");
});

test("only root on Linux joins", async () => {
  await expect(checkMachine("darwin", 0)).rejects.toThrow("only machines with Linux can join");
  await expect(checkMachine("linux", 1000)).rejects.toThrow("which only root may");
});

const made = (options: object): Secret =>
  tokenSecret(
    token,
    { ttlMs: 3_600_000, usages: ["signing"], groups: [], description: "", ...options },
    now,
  ) as unknown as Secret;
test("a token is what it is made for, and for as long", () => {
  const secret = made({ usages: ["signing", "authentication"], groups: ["system:bootstrappers:a"] });
  expect(usableToken(secret, "authentication", now)).toEqual(token);
  expect(usableToken(secret, "authentication", instant(now + 3_599_000))).toEqual(token);
  expect(usableToken(secret, "authentication", instant(now + 3_600_000))).toBeUndefined();
  expect(usableToken(made({}), "authentication", now)).toBeUndefined();
  expect(usableToken(made({ ttlMs: 0 }), "signing", instant(now + 1e12))).toEqual(token);
  expect(refusal(() => made({ usages: ["all"] }))).toBe(
    "invalid bootstrap token usage string: all, valid usage options: signing, authentication",
  );
  expect(refusal(() => made({ groups: ["system:masters"] }))).toContain('bootstrap group "system:masters" is invalid');
});

test("tokens are listed with what is left of them", () => {
  const rows = tokenRows(
    [made({ description: "for a friend" }), made({ ttlMs: 0 }), { ...made({}), type: "Opaque" }],
    instant(now + 60_000),
  );
  expect(rows).toEqual([
    ["abcdef.0123456789abcdef", "59m", "2026-01-01T01:00:00Z", "signing", "for a friend", "<none>"],
    ["abcdef.0123456789abcdef", "<forever>", "<never>", "signing", "<none>", "<none>"],
  ]);
  expect(tokenRows([made({})], instant(now + 3_700_000))[0]![1]).toBe("<expired>");
});
