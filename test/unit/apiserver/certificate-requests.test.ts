// Which fields of a certificate request its requester, approvers and signers can set.
import { expect, test } from "vitest";
import type { CertificateSigningRequest } from "../../../api/generated/types.ts";
import { certificateSigningRequests } from "../../../api/certificates/certificatesigningrequests.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { type ApiObject, type Draft, instant, key } from "../../../api/meta.ts";
import type { Authorizer } from "../../../apiserver/authorization/authorizer.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { realWorld } from "../../../machinery/real-world.ts";
import {
  approved,
  requestedBy,
  signed,
  verdictProblems,
} from "../../../apiserver/registry/strategies/certificate-requests.ts";

const now = instant(Date.parse("2026-01-02T00:00:00Z"));
const request = (status: object, spec: object = {}): CertificateSigningRequest =>
  ({ kind: "CertificateSigningRequest", metadata: { name: "a" }, spec, status }) as CertificateSigningRequest;
const condition = (type: string, more: object = {}): object => ({ type, status: "True", ...more });
const pem = "-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n";
const at = "2026-01-02T00:00:00Z";

test("the server sets the requester from the authenticated user", () => {
  const draft = request({}, { signerName: "a.com/b", username: "mallory", uid: "1", groups: ["system:masters"] });
  expect(requestedBy(draft, { name: "bob", groups: ["system:authenticated"] }).spec).toEqual({
    signerName: "a.com/b",
    username: "bob",
    groups: ["system:authenticated"],
  });
});
test("an approver can set conditions, but not the certificate", () => {
  const requested = request(
    { certificate: "bWU=", conditions: [condition("Approved")] },
    { signerName: "other.com/c" },
  );
  const next = approved(request({}, { signerName: "a.com/b" }), requested, now);
  expect(next.spec).toEqual({ signerName: "a.com/b" });
  expect(next.status).toEqual({
    conditions: [condition("Approved", { lastUpdateTime: at, lastTransitionTime: at })],
  });
});
test("a signer can set the certificate, but not approval conditions", () => {
  const old = request({
    conditions: [condition("Approved", { reason: "Known", lastUpdateTime: "x", lastTransitionTime: "x" })],
  });
  const requested = request({
    certificate: "bWU=",
    conditions: [condition("Approved", { reason: "Mine" }), condition("Denied")],
  });
  const next = signed(old, requested, now);
  expect(next.status?.certificate).toBe("bWU=");
  expect(next.status?.conditions?.[0]).toEqual(old.status?.conditions?.[0]);
  expect(verdictProblems(next, old).map((p) => p.message)).toEqual([
    'Forbidden: updates may not add a condition of type "Denied"',
  ]);
  expect(verdictProblems(old, old)).toEqual([]);
});
test("an unchanged condition keeps its transition time", () => {
  const since = "2026-01-01T00:00:00Z";
  const old = request({ conditions: [condition("Failed", { lastUpdateTime: since, lastTransitionTime: since })] });
  const next = signed(old, request({ conditions: [condition("Failed")] }), now);
  expect(next.status?.conditions?.[0]).toMatchObject({ lastUpdateTime: at, lastTransitionTime: since });
});

test("approvers and signers need permission for the signer or its domain", async () => {
  const checks: (string | undefined)[] = [];
  const authorizer: Authorizer = {
    decide({ verb, resource, name, user }) {
      checks.push(`${verb} ${resource} ${name}`);
      return { allowed: user.groups.includes("approvers") && verb === "approve" && name === "a.com/*" };
    },
  };
  const world = realWorld(() => {});
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const verbs = clusterRegistry(memoryStorage(), world, { ...ranges, authorizer });
  const r = certificateSigningRequests as unknown as ResourceDefinition;
  const spec = { signerName: "a.com/b", request: btoa(pem), usages: ["client auth"] };
  await verbs.create(r, { metadata: { name: "a" }, spec } as unknown as Draft<ApiObject>);
  const write = (subresource: "approval" | "status", groups: string[], type: string): Promise<unknown> => {
    const status = { conditions: [{ type, status: "True", reason: "Known" }] };
    return verbs.change(
      { r, key: key(undefined, "a"), subresource },
      (current) => ({ ...current, status }) as ApiObject,
      { user: { name: "me", groups } },
    );
  };
  await expect(write("approval", [], "Approved")).rejects.toThrow(
    'certificatesigningrequests.certificates.k8s.io "a" is forbidden: user not permitted to approve requests with signerName "a.com/b"',
  );
  await write("approval", ["approvers"], "Approved");
  await expect(write("status", ["approvers"], "Failed")).rejects.toThrow(
    'user not permitted to sign requests with signerName "a.com/b"',
  );
  expect(checks.slice(-2)).toEqual(["sign signers a.com/b", "sign signers a.com/*"]);
});
