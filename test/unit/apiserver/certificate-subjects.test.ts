// Subjects that certificate requests are refused for. The requests are generated with another library.
import "reflect-metadata";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { expect, test } from "vitest";
import { certificateSigningRequests } from "../../../api/certificates/certificatesigningrequests.ts";
import { organizationsIn } from "../../../apiserver/admission/certificate-subjects.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { realWorld } from "../../../machinery/real-world.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
const requestOf = (name: string) =>
  Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm });

const client = inProcessClient(
  clusterRegistry(
    memoryStorage(),
    realWorld(() => {}),
    { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } },
  ),
);
const apiClient = "kubernetes.io/kube-apiserver-client";
const refused = (because: string): string =>
  `certificatesigningrequests.certificates.k8s.io "r" is forbidden: ${because}`;

async function outcome(signerName: string, pem: string): Promise<string> {
  const request = Buffer.from(pem).toString("base64");
  const spec = { signerName, request, usages: ["client auth"] as const };
  try {
    await client.create(certificateSigningRequests, {
      kind: "CertificateSigningRequest",
      metadata: { name: "r" },
      spec,
    });
  } catch (error) {
    return (error as Error).message;
  }
  await client.delete(certificateSigningRequests, "r" as never);
  return "admitted";
}

for (const [signerName, subject, expected] of [
  [apiClient, "CN=jo,O=dev", "admitted"],
  [apiClient, "CN=jo", "admitted"],
  [apiClient, "CN=system:masters", "admitted"],
  [
    apiClient,
    "CN=jo,O=dev,O=system:masters",
    refused(`use of ${apiClient} signer with system:masters group is not allowed`),
  ],
  ["example.com/other", "CN=jo,O=system:masters", "admitted"],
] as const)
  test(`subjects of certificates: ${subject} by ${signerName}`, async () =>
    expect(await outcome(signerName, (await requestOf(subject)).toString("pem"))).toBe(expected));

test("subjects of certificates: a malformed request is refused", async () => {
  const body = Buffer.from((await requestOf("CN=jo")).rawData)
    .subarray(0, 40)
    .toString("base64");
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${body}\n-----END CERTIFICATE REQUEST-----\n`;
  expect(await outcome(apiClient, pem)).toBe(refused("failed to parse CSR: data truncated"));
});

test("subjects of certificates: all organizations are read, and no other attribute", async () => {
  const { rawData } = await requestOf("C=DE,O=one,OU=part,O=two,CN=jo");
  expect(organizationsIn(Buffer.from(rawData))).toEqual(["one", "two"]);
});
