// Requests for certificates: which are approved, what is signed, and when they are deleted.
import { X509Certificate, createPublicKey } from "node:crypto";
import { expect, test } from "vitest";
import type { CertificateSigningRequest, Node } from "../../../api/generated/types.ts";
import { newAuthority } from "../../../cli/cluster/pki.ts";
import { decideContent } from "../../../controllers/certificates/approver.ts";
import { decide as clean } from "../../../controllers/certificates/cleaner.ts";
import {
  kubeletClientProblem,
  kubeletServingProblem,
  signerProblems,
  signers,
} from "../../../controllers/certificates/recognize.ts";
import { servingProblem } from "../../../controllers/certificates/serving-names.ts";
import { decide as sign } from "../../../controllers/certificates/signer.ts";
import { type CertificateRequest, newRequest, parseRequest } from "../../../machinery/certificates/requests.ts";
import type { Decision } from "../../../machinery/controller.ts";
import { ago, asStored, carryOut, now, summaryOf } from "./world.ts";

const nothing: CertificateRequest = {
  ...{ commonName: "", organizations: [], dnsNames: [], ipAddresses: [], emailAddresses: [], uris: [] },
};
const client = { ...nothing, commonName: "system:node:n1", organizations: ["system:nodes"] };
const clientUsages = ["digital signature", "client auth"];
const serving = { ...client, dnsNames: ["n1"], ipAddresses: ["10.0.0.1"] };
const servingUsages = ["digital signature", "server auth"];
const noNode = "subject common name does not begin with system:node:";
const noGroup = "subject organization is not system:nodes";
const enciphering = "key encipherment";

const clientTable: readonly (readonly [string, CertificateRequest, readonly string[], string | undefined])[] = [
  ["a node", client, clientUsages, undefined],
  ["a node with an RSA key", client, [enciphering, ...clientUsages], undefined],
  ["another organization", { ...client, organizations: ["system:masters"] }, clientUsages, noGroup],
  ["a further organization", { ...client, organizations: ["system:nodes", "system:masters"] }, clientUsages, noGroup],
  ["another name", { ...client, commonName: "admin" }, clientUsages, noNode],
  ["a DNS name", { ...client, dnsNames: ["n1"] }, clientUsages, "DNS subjectAltNames are not allowed"],
  ["an address", { ...client, ipAddresses: ["10.0.0.1"] }, clientUsages, "IP subjectAltNames are not allowed"],
  ["a mail address", { ...client, emailAddresses: ["a@b"] }, clientUsages, "Email subjectAltNames are not allowed"],
  ["a URI", { ...client, uris: ["spiffe://a"] }, clientUsages, "URI subjectAltNames are not allowed"],
  [
    "the purpose of servers",
    client,
    servingUsages,
    "usages did not match [client auth digital signature key encipherment]",
  ],
  [
    "a further usage",
    client,
    [...clientUsages, "cert sign"],
    "usages did not match [client auth digital signature key encipherment]",
  ],
];
for (const [what, request, usages, expected] of clientTable)
  test(`client certificates of kubelets: ${what}`, () => expect(kubeletClientProblem(request, usages)).toBe(expected));

const servingTable: readonly (readonly [string, CertificateRequest, readonly string[], string | undefined])[] = [
  ["a node", serving, servingUsages, undefined],
  ["a node with an RSA key", serving, [...servingUsages, enciphering], undefined],
  ["an address alone", { ...serving, dnsNames: [] }, servingUsages, undefined],
  ["no names", client, servingUsages, "DNS or IP subjectAltName is required"],
  ["another organization", { ...serving, organizations: [] }, servingUsages, noGroup],
  ["another name", { ...serving, commonName: "n1" }, servingUsages, noNode],
  ["a mail address", { ...serving, emailAddresses: ["a@b"] }, servingUsages, "Email subjectAltNames are not allowed"],
  ["a URI", { ...serving, uris: ["x:y"] }, servingUsages, "URI subjectAltNames are not allowed"],
  [
    "the purpose of clients",
    serving,
    clientUsages,
    "usages did not match [digital signature key encipherment server auth]",
  ],
];
for (const [what, request, usages, expected] of servingTable)
  test(`serving certificates of kubelets: ${what}`, () =>
    expect(kubeletServingProblem(request, usages)).toBe(expected));

for (const [usages, expected] of [
  [["client auth"], undefined],
  [["digital signature", "key encipherment", "client auth"], undefined],
  [["digital signature"], "missing required usage for client certificate: client auth"],
  [["client auth", "server auth"], "invalid usage for client certificate: server auth"],
] as const)
  test(`client certificates of users: ${usages.join(", ")}`, () =>
    expect(signerProblems[signers.apiClient]!(nothing, usages)).toBe(expected));

const node = (name: string, ...addresses: readonly (readonly [type: string, address: string])[]): Node =>
  asStored<Node>({
    ...{ kind: "Node", metadata: { name }, spec: {} },
    status: { addresses: addresses.map(([type, address]) => ({ type, address })) },
  });
const nodes = [
  node("n1", ["InternalIP", "10.0.0.1"], ["Hostname", "n1"], ["InternalIP", "10.0.0.9"], ["ExternalIP", "10.0.0.7"]),
  node("n2", ["InternalIP", "10.0.0.2"], ["InternalIP", "10.0.0.9"], ["Hostname", "shared"]),
  node("shared", ["Hostname", "api.example"]),
  node("kubernetes", ["InternalIP", "fd00::1"]),
];
const reserved = ["kubernetes", "10.0.0.7", "10.96.0.1"];
const requester = (name: string) => ({ username: `system:node:${name}`, groups: ["system:nodes"] });

for (const [what, name, names, expected] of [
  ["its name and address", "n1", { dnsNames: ["N1"], ipAddresses: ["10.0.0.1"] }, undefined],
  ["a name of nobody", "n1", { dnsNames: ["other"] }, "other is no address of node n1"],
  ["an address of nobody", "n1", { ipAddresses: ["10.0.0.3"] }, "10.0.0.3 is no address of node n1"],
  ["one of them not its own", "n1", { ipAddresses: ["10.0.0.1", "10.0.0.2"] }, "10.0.0.2 is no address of node n1"],
  [
    "an address that another node has too",
    "n1",
    { ipAddresses: ["10.0.0.9"] },
    "10.0.0.9 is also the address of another node",
  ],
  ["the API server's address", "n1", { ipAddresses: ["10.0.0.7"] }, "10.0.0.7 is the API server's"],
  ["the API server's name", "kubernetes", { dnsNames: ["kubernetes"] }, "kubernetes is the API server's"],
  ["another spelling", "kubernetes", { ipAddresses: ["fd00:0::1"] }, undefined],
  ["the name of another node", "n2", { dnsNames: ["shared"] }, "shared is also the address of another node"],
  ["a name another claims", "shared", { dnsNames: ["shared"] }, "shared is also the address of another node"],
  ["a node that is not there", "gone", { dnsNames: ["gone"] }, "there is no node gone"],
] as const)
  test(`serving certificates for ${what}`, () => {
    const request = { ...client, commonName: `system:node:${name}`, dnsNames: [], ipAddresses: [], ...names };
    expect(servingProblem(request, requester(name), { nodes, reserved })).toBe(expected);
  });

for (const [what, by] of [
  ["another node", requester("n2")],
  ["a user of that name", { username: "system:node:n1", groups: ["system:authenticated"] }],
  ["nobody", {}],
] as const)
  test(`serving certificates requested by ${what}`, () =>
    expect(servingProblem(serving, by, { nodes, reserved })).toBe("it was not made by the node it names"));

const driver = {
  ...{ ...nothing, commonName: "orrery.dev:csi-driver:n1", organizations: ["orrery.dev:csi-drivers"] },
};
const network = { ...nothing, commonName: "system:kube-proxy" };
const otherClient = (name: string) => ({ ...requester(name), signerName: signers.apiClient });

const stored = (spec: object, status: object = {}, more: object = {}): CertificateSigningRequest =>
  asStored<CertificateSigningRequest>({
    kind: "CertificateSigningRequest",
    metadata: { name: "r", ...more },
    spec: { signerName: signers.kubeletClient, usages: clientUsages, ...spec },
    status,
  });
const context = { nodes, reserved };
const messagesOf = (decision: Decision, request: CertificateSigningRequest): readonly string[] => {
  const [after] = carryOut(decision.actions, [request]) as readonly CertificateSigningRequest[];
  return (after?.status?.conditions ?? []).map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
};
const selfApproved = "Approved AutoApproved: Auto approving self kubelet client certificate after SubjectAccessReview.";
const every = ["selfnodeclient", "nodeclient", "networkclient", "csiclient"];
const nodeApproved = "Approved AutoApproved: Auto approving kubelet client certificate after SubjectAccessReview.";
const otherApproved = (owner: string): string =>
  `Approved AutoApproved: Auto approving client certificate of a node's ${owner} after SubjectAccessReview.`;
const servingApproved =
  "Approved AutoApproved: Auto approving kubelet serving certificate: all of its names are the node's own.";

for (const [what, spec, content, rights, expected, reviewed] of [
  ["a node for itself", requester("n1"), client, ["selfnodeclient"], [selfApproved], ["selfnodeclient"]],
  [
    "a node for itself by the wider right",
    requester("n1"),
    client,
    ["nodeclient"],
    [nodeApproved],
    ["selfnodeclient", "nodeclient"],
  ],
  ["a node for another", requester("n2"), client, ["selfnodeclient"], [], ["nodeclient"]],
  ["a bootstrap token", { username: "system:bootstrap:a" }, client, ["nodeclient"], [nodeApproved], ["nodeclient"]],
  ["no right", requester("n1"), client, [], [], ["selfnodeclient", "nodeclient"]],
  ["a subject of another kind", requester("n1"), { ...client, commonName: "admin" }, ["nodeclient"], [], []],
  [
    "a serving certificate",
    { ...requester("n1"), signerName: signers.kubeletServing, usages: servingUsages },
    serving,
    [],
    [servingApproved],
    [],
  ],
  [
    "a serving certificate of another",
    { ...requester("n2"), signerName: signers.kubeletServing, usages: servingUsages },
    serving,
    ["nodeclient", "selfnodeclient"],
    [],
    [],
  ],
  ["a node's network", otherClient("n1"), network, ["networkclient"], [otherApproved("network")], ["networkclient"]],
  ["a network without the right", otherClient("n1"), network, ["csiclient"], [], ["networkclient"]],
  ["a network with a group", otherClient("n1"), { ...network, organizations: ["system:masters"] }, every, [], []],
  ["a node's drivers", otherClient("n1"), driver, ["csiclient"], [otherApproved("CSI drivers")], ["csiclient"]],
  ["drivers without the right", otherClient("n1"), driver, ["networkclient"], [], ["csiclient"]],
  ["drivers of another node", otherClient("n2"), driver, every, [], []],
  ["drivers of a longer name", otherClient("n11"), driver, every, [], []],
  ["drivers, by a user", { ...otherClient("n1"), username: "n1" }, driver, every, [], []],
  [
    "drivers, by a user whose name ends so",
    { ...otherClient("n1"), username: "account:abcdn1" },
    driver,
    every,
    [],
    [],
  ],
  ["drivers, by nobody", { ...otherClient("n1"), username: undefined }, driver, every, [], []],
  ["drivers, by the drivers", { ...otherClient("n1"), username: driver.commonName }, driver, every, [], []],
  ["drivers without their group", otherClient("n1"), { ...driver, organizations: [] }, every, [], []],
  ["drivers with another group", otherClient("n1"), { ...driver, organizations: ["system:masters"] }, every, [], []],
  [
    "drivers with a further group",
    otherClient("n1"),
    { ...driver, organizations: [...driver.organizations, "system:masters"] },
    every,
    [],
    [],
  ],
  ["drivers with a DNS name", otherClient("n1"), { ...driver, dnsNames: ["n1"] }, every, [], []],
  ["drivers with an address", otherClient("n1"), { ...driver, ipAddresses: ["10.0.0.1"] }, every, [], []],
  ["drivers with a URI", otherClient("n1"), { ...driver, uris: ["x:y"] }, every, [], []],
  ["drivers as servers", { ...otherClient("n1"), usages: servingUsages }, driver, every, [], []],
  [
    "a serving certificate with other usages",
    { ...requester("n1"), signerName: signers.kubeletServing },
    serving,
    [],
    [],
    [],
  ],
] as const)
  test(`approval: ${what}`, async () => {
    const request = stored(spec);
    const seen: string[] = [];
    const decision = await decideContent({ request, ...context }, content, async (_, right) => {
      seen.push(right);
      return (rights as readonly string[]).includes(right);
    });
    expect(messagesOf(decision, request)).toEqual(expected);
    expect(seen).toEqual(reviewed);
  });

const authority = await newAuthority("test-ca", now);
const content = { commonName: "system:node:n1", organizations: ["system:nodes"] };
const made = await newRequest(content);
const encoded = (pem: string): string => Buffer.from(pem).toString("base64");
const approvedBy = { conditions: [{ type: "Approved", status: "True" }] };
const day = 86_400_000;

async function signed(request: CertificateSigningRequest, longestMs = 365 * day): Promise<Decision> {
  const first = sign({ pem: authority.pem, longestMs })(request, now);
  return first.effect ? first.effect.run() : first;
}
const certificateIn = (decision: Decision): X509Certificate => {
  const [action] = decision.actions;
  const { certificate } = (action as unknown as { status: { certificate: string } }).status;
  return new X509Certificate(Buffer.from(certificate, "base64"));
};

test("signing: the certificate has the subject, key and usages of the request, and is valid by the authority", async () => {
  const certificate = certificateIn(await signed(stored({ request: encoded(made.request) }, approvedBy)));
  expect(certificate.verify(createPublicKey(authority.pem.cert))).toBe(true);
  expect(certificate.checkIssued(new X509Certificate(authority.pem.cert))).toBe(true);
  expect(certificate.subject).toBe("O=system:nodes\nCN=system:node:n1");
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  expect(certificate.ca).toBe(false);
  const { publicKey } = certificate;
  expect(publicKey.export({ format: "jwk" })).toEqual(createPublicKey(made.key).export({ format: "jwk" }));
  expect(certificate.validFromDate.getTime()).toBe(now - 5 * 60_000);
  expect(certificate.validToDate.getTime()).toBe(now + 365 * day - 5 * 60_000);
});

test("signing: alternative names are taken over", async () => {
  const { request } = await newRequest({ ...content, dnsNames: ["n1"], ipAddresses: ["10.0.0.1", "fd00::1"] });
  expect(parseRequest(request)).toEqual({ ...client, dnsNames: ["n1"], ipAddresses: ["10.0.0.1", "fd00::1"] });
  const spec = { signerName: signers.kubeletServing, usages: servingUsages, request: encoded(request) };
  const certificate = certificateIn(await signed(stored(spec, approvedBy)));
  expect(certificate.subjectAltName).toBe("DNS:n1, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1");
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
});

for (const [requested, longestMs, expected] of [
  [undefined, day, day - 5 * 60_000],
  [3600, day, 3_600_000],
  [60, day, 600_000],
  [30 * 86_400, day, day - 5 * 60_000],
  [undefined, 3_600_000, 3_600_000],
  [undefined, 20 * 365 * day, 3650 * day],
] as const)
  test(`signing: ${requested} seconds of at most ${longestMs} ms`, async () => {
    const spec = { request: encoded(made.request), ...(requested && { expirationSeconds: requested }) };
    const certificate = certificateIn(await signed(stored(spec, approvedBy), longestMs));
    expect(certificate.validToDate.getTime() - now).toBe(expected);
  });

test("signing: what the signer does not sign has failed, and is not looked at again", async () => {
  const request = stored({ request: encoded(made.request), usages: servingUsages }, approvedBy);
  const decision = await signed(request);
  expect(messagesOf(decision, request)).toEqual([
    "Approved undefined: undefined",
    "Failed SignerValidationFailure: usages did not match [client auth digital signature key encipherment]",
  ]);
  const [after] = carryOut(decision.actions, [request]) as readonly CertificateSigningRequest[];
  expect(await signed(after!)).toEqual({ actions: [] });
});

const forged = async (): Promise<string> => {
  const der = Buffer.from(made.request.replaceAll(/-----[^-]*-----/g, ""), "base64");
  der[der.length - 1]! ^= 1;
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
};
test("signing: a request that another key signed gets nothing", async () => {
  const decision = await signed(stored({ request: encoded(await forged()) }, approvedBy));
  expect(decision).toEqual({
    actions: [],
    failure: "error auto signing csr: unable to verify certificate request signature",
  });
});

for (const [what, spec, status] of [
  ["not approved", {}, {}],
  ["denied", {}, { conditions: [{ type: "Denied", status: "True" }] }],
  ["already issued", {}, { ...approvedBy, certificate: "x" }],
  ["for another signer", { signerName: "example.com/own" }, approvedBy],
] as const)
  test(`signing: not ${what}`, async () =>
    expect(await signed(stored({ request: encoded(made.request), ...spec }, status))).toEqual({ actions: [] }));

const hour = 3600;
const expired = await (async () => {
  const request = stored({ request: encoded(made.request), expirationSeconds: 600 }, approvedBy);
  const decision = sign({ pem: authority.pem, longestMs: day })(request, (now - 20 * 60_000) as typeof now);
  const [action] = (await decision.effect!.run()).actions;
  return (action as unknown as { status: { certificate: string } }).status.certificate;
})();
const condition = (type: string, seconds: number): object => ({
  ...{ type, status: "True", lastUpdateTime: ago(seconds) },
});
for (const [what, status, createdSeconds, expected] of [
  ["waits for less than a day", {}, 24 * hour - 1, 2],
  ["waits for a day", {}, 24 * hour + 1, "delete r"],
  ["was denied", { conditions: [condition("Denied", hour - 1)] }, 0, 2],
  ["was denied an hour ago", { conditions: [condition("Denied", hour + 1)] }, 0, "delete r"],
  ["failed an hour ago", { conditions: [condition("Approved", 2), condition("Failed", hour + 1)] }, 0, "delete r"],
  ["was approved, but not issued", { conditions: [condition("Approved", 23 * hour)] }, 0, hour + 1],
  ["was approved a day ago, but not issued", { conditions: [condition("Approved", 24 * hour + 1)] }, 0, "delete r"],
  ["was issued", { conditions: [condition("Approved", hour - 1)], certificate: encoded("x") }, 0, 2],
  [
    "was issued an hour ago",
    { conditions: [condition("Approved", hour + 1)], certificate: encoded("x") },
    0,
    "delete r",
  ],
  ["has expired", { conditions: [condition("Approved", 1)], certificate: expired }, 0, "delete r"],
] as const)
  test(`cleaning: a request that ${what}`, () => {
    const request = stored({}, status, { creationTimestamp: ago(createdSeconds) });
    const { actions, requeueAfter } = clean(request, now);
    if (typeof expected === "string") expect(summaryOf(actions)).toBe(expected);
    else {
      expect(actions).toEqual([]);
      expect(Math.ceil(requeueAfter! / 1000)).toBe(expected);
    }
  });
