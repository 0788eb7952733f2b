// The tree of causes, and fields in words.
import { expect, test } from "vitest";
import type { Cause } from "../../../../api/explanation/explanation.ts";
import type { ApiObject } from "../../../../api/meta.ts";
import { refusedCreation } from "../../../../apiserver/explain/causes/refused-creation.ts";
import { fieldsOf } from "../../../../apiserver/explain/fields.ts";
import { failing, grouped, progressing, rootsFirst, waiting } from "../../../../apiserver/explain/finding.ts";

const object = (name: string): ApiObject => ({
  ...{ apiVersion: "v1", kind: "Pod" },
  metadata: { name, namespace: "a", uid: `uid-${name}`, resourceVersion: "1", creationTimestamp: "" },
});
const cause = (reason: string, ...causes: readonly Cause[]): Cause => ({
  ...{ reason, message: reason.toLowerCase() },
  ...(causes.length > 0 && { causes }),
});

test("root causes come first, each once, with the objects that their branches name", () => {
  const about = { apiVersion: "v1", kind: "Pod", name: "p" };
  const branch = { ...cause("Set", cause("Image"), cause("Quota")), object: about };
  expect(rootsFirst([branch, cause("Image")]).map((c) => [c.reason, c.object?.name])).toEqual([
    ["Image", "p"],
    ["Quota", "p"],
    ["Image", undefined],
    ["Set", "p"],
  ]);
  expect(rootsFirst([cause("One"), cause("Two")])).toEqual([cause("One"), cause("Two")]);
});

test("equal causes of many objects are one, and failing ones come before waiting ones", () => {
  const crash = (name: string) => ({
    object: object(name),
    finding: failing("", { reason: "Crash", message: `${name} exits` }),
  });
  const gate = { object: object("g"), finding: waiting("", cause("Gate")) };
  const found = grouped([
    gate,
    crash("p1"),
    crash("p2"),
    crash("p3"),
    { object: object("n"), finding: progressing("") },
  ]);
  expect(found.map((c) => [c.reason, c.message, c.object?.name])).toEqual([
    ["Crash", "p1 exits (and 2 more)", "p1"],
    ["Gate", "gate", "g"],
  ]);
});

test.each([
  [
    'pods "w" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2',
    "QuotaExceeded",
    "small",
  ],
  ['pods "w" is forbidden: failed quota: small: must specify cpu', "QuotaRequiresResources", "small"],
  ['pods "w" is forbidden: violates PodSecurity "restricted:latest": privileged', "PodSecurityViolation", undefined],
  [
    'pods "w" is forbidden: error looking up service account default/robot: serviceaccount "robot" not found',
    "ServiceAccountNotFound",
    "robot",
  ],
  ['admission webhook "deny.example.com" denied the request', "WebhookDenied", undefined],
  ["something else", "FailedCreate", undefined],
])("%s", (message, reason, name) => {
  const found = refusedCreation(message, "default");
  expect([found.reason, found.object?.name, found.message]).toEqual([reason, name, message]);
  expect(found.next).toEqual(expect.any(String));
});

test("fields are written as paths", () => {
  const fieldsV1 = {
    "f:spec": { "f:replicas": {}, "f:containers": { 'k:{"name":"web"}': { ".": {}, "f:image": {} } } },
    "f:metadata": { "f:labels": { "f:app.example.com/name": {} }, "f:finalizers": { 'v:"x"': {} } },
  };
  const { metadata, ...rest } = object("p");
  const managedFields = [{ manager: "kubectl", operation: "Apply", fieldsV1 }];
  expect(fieldsOf({ ...rest, metadata: { ...metadata, managedFields } })).toEqual([
    {
      ...{ manager: "kubectl", operation: "Apply" },
      paths: [
        ...['metadata.finalizers[="x"]', 'metadata.labels["app.example.com/name"]', "spec.replicas"],
        ...['spec.containers[name="web"]', 'spec.containers[name="web"].image'],
      ],
    },
  ]);
});
