// Who may say what of a request for a certificate.
import { expect, test } from "vitest";
import type { CertificateSigningRequest } from "../../../api/generated/types.ts";
import { instant } from "../../../api/meta.ts";
import { approved, requestedBy, signed, verdictProblems } from "../../../apiserver/registry/certificate-requests.ts";

const now = instant(Date.parse("2026-01-02T00:00:00Z"));
const request = (status: object, spec: object = {}): CertificateSigningRequest =>
  ({ kind: "CertificateSigningRequest", metadata: { name: "a" }, spec, status }) as CertificateSigningRequest;
const condition = (type: string, more: object = {}): object => ({ type, status: "True", ...more });
const at = "2026-01-02T00:00:00Z";

test("who asks is told by the server, whatever the request says", () => {
  const draft = request({}, { signerName: "a.com/b", username: "mallory", uid: "1", groups: ["system:masters"] });
  expect(requestedBy(draft, { name: "bob", groups: ["system:authenticated"] }).spec).toEqual({
    signerName: "a.com/b",
    username: "bob",
    groups: ["system:authenticated"],
  });
});
test("an approver says yes, and cannot sign", () => {
  const given = request({ certificate: "bWU=", conditions: [condition("Approved")] }, { signerName: "other.com/c" });
  const next = approved(request({}, { signerName: "a.com/b" }), given, now);
  expect(next.spec).toEqual({ signerName: "a.com/b" });
  expect(next.status).toEqual({
    conditions: [condition("Approved", { lastUpdateTime: at, lastTransitionTime: at })],
  });
});
test("a signer signs, and cannot change or add a verdict", () => {
  const old = request({
    conditions: [condition("Approved", { reason: "Known", lastUpdateTime: "x", lastTransitionTime: "x" })],
  });
  const given = request({
    certificate: "bWU=",
    conditions: [condition("Approved", { reason: "Mine" }), condition("Denied")],
  });
  const next = signed(old, given, now);
  expect(next.status?.certificate).toBe("bWU=");
  expect(next.status?.conditions?.[0]).toEqual(old.status?.conditions?.[0]);
  expect(verdictProblems(next, old).map((p) => p.message)).toEqual([
    'Forbidden: updates may not add a condition of type "Denied"',
  ]);
  expect(verdictProblems(old, old)).toEqual([]);
});
test("a condition that holds already has held since then", () => {
  const since = "2026-01-01T00:00:00Z";
  const old = request({ conditions: [condition("Failed", { lastUpdateTime: since, lastTransitionTime: since })] });
  const next = signed(old, request({ conditions: [condition("Failed")] }), now);
  expect(next.status?.conditions?.[0]).toMatchObject({ lastUpdateTime: at, lastTransitionTime: since });
});
