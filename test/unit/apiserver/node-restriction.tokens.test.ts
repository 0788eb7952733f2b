// NodeRestriction of tokens: for which pods and audiences a kubelet gets them.
import { beforeEach, expect, test } from "vitest";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { pods } from "../../../api/core/pods.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import { csiDrivers } from "../../../api/storage/csi.ts";
import type { Authorizer } from "../../../apiserver/authorization/authorizer.ts";
import { type Cluster, cluster, inDefault, outcomeOf } from "./kubelet-writes.ts";

/** Rights to audiences are written as rights to resources of their name. */
const authorizer: Authorizer = {
  decide: ({ verb, resource, name }) => ({
    allowed: verb === "request-serviceaccounts-token-audience" && resource === "granted" && name === "default",
  }),
};
let c: Cluster;
const projected = { name: "t", projected: { sources: [{ serviceAccountToken: { path: "t", audience: "vault" } }] } };
const volumes = [
  projected,
  { name: "claimed", persistentVolumeClaim: { claimName: "c" } },
  { name: "missing", persistentVolumeClaim: { claimName: "missing" } },
];
let uids: Record<string, string>;
beforeEach(async () => {
  c = await cluster(authorizer);
  uids = {};
  await c.make(csiDrivers, { metadata: { name: "d.example.com" }, spec: { tokenRequests: [{ audience: "storage" }] } });
  await c.make(persistentVolumes, {
    metadata: { name: "pv" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1" },
      csi: { driver: "d.example.com", volumeHandle: "h" },
    },
  });
  await c.make(persistentVolumeClaims, {
    metadata: { name: "c", namespace: "default" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1" } }, volumeName: "pv" },
  });
  for (const [name, nodeName, its] of [
    ["own", "n", volumes],
    ["other", "m", volumes],
    ["plain", "n", [projected]],
  ] as const) {
    const containers = [{ name: "c", image: "i" }];
    const made = await c.make(pods, {
      metadata: { name, namespace: "default" },
      spec: { nodeName, containers, volumes: its },
    });
    uids[name] = made.metadata.uid;
  }
});
const request = (spec: object) => outcomeOf(c.send(serviceAccounts, inDefault("default"), "token", { spec }));
const boundTo = (name: string, uid = uids[name]) => ({ boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid } });
const forbiddenText = (because: string): string => `serviceaccounts "default" is forbidden: ${because}`;
const notAuthorized = (audience: string): string =>
  forbiddenText(
    `audience "${audience}" not found in pod spec volume, system:node:n is not authorized to request tokens for this audience`,
  );
test.each<[string, () => object, string]>([
  ["unbound", () => ({}), forbiddenText("node requested token not bound to a pod")],
  [
    "bound to a secret",
    () => ({ boundObjectRef: { apiVersion: "v1", kind: "Secret", name: "s", uid: "x" } }),
    forbiddenText("node requested token not bound to a pod"),
  ],
  [
    "without a uid",
    () => ({ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "own" } }),
    forbiddenText("node requested token with a pod binding without a uid"),
  ],
  [
    "of an earlier pod",
    () => boundTo("own", "x"),
    forbiddenText(
      "the UID in the bound object reference (x) does not match the UID in record. The object might have been deleted and then recreated",
    ),
  ],
  ["of no pod", () => boundTo("none", "x"), 'pod "none" not found'],
  [
    "of a pod elsewhere",
    () => boundTo("other"),
    forbiddenText("node requested token bound to a pod scheduled on a different node"),
  ],
  ["for the API server", () => boundTo("plain"), "allowed"],
  ["for a projected audience", () => ({ ...boundTo("plain"), audiences: ["vault"] }), "allowed"],
  ["for a driver's audience", () => ({ ...boundTo("own"), audiences: ["storage"] }), "allowed"],
  ["for an audience that the node has a right to", () => ({ ...boundTo("plain"), audiences: ["granted"] }), "allowed"],
  ["for another audience", () => ({ ...boundTo("plain"), audiences: ["other"] }), notAuthorized("other")],
  [
    "for several",
    () => ({ ...boundTo("own"), audiences: ["vault", "storage"] }),
    forbiddenText("node may only request 0 or 1 audiences"),
  ],
  [
    "for an audience of a claim that is not there",
    () => ({ ...boundTo("own"), audiences: ["other"] }),
    forbiddenText('error validating audience "other": persistentvolumeclaim "missing" not found'),
  ],
])("%s", async (_, spec, expected) => {
  expect(await request(spec())).toBe(expected);
});
