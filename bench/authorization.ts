// The time of one decision: by RBAC among 1,000 roles and 5,000 bindings, and of the node authorizer among the pods of
// 1,000 nodes; and of the authentication of a service account token, with the look-ups that make revocation immediate.
import { generateKeyPairSync } from "node:crypto";
import { jwtVerify } from "jose";
import { pods } from "../api/core/pods.ts";
import { serviceAccounts } from "../api/core/serviceaccounts.ts";
import type { ClusterRole, Pod, RoleBinding } from "../api/generated/types.ts";
import { keyOf } from "../api/meta.ts";
import type { RequestAttributes } from "../apiserver/authorization/authorizer.ts";
import { decide as decideForNode } from "../apiserver/authorization/node/decide.ts";
import { nodeGraph } from "../apiserver/authorization/node/graph.ts";
import { decide } from "../apiserver/authorization/rbac/decide.ts";
import { grants } from "../apiserver/authorization/rbac/grants.ts";
import { ruleAllows } from "../apiserver/authorization/rbac/rules.ts";
import { named } from "../apiserver/authentication/claims.ts";
import { tokens } from "../apiserver/authentication/tokens.ts";
import { clusterRegistry } from "../apiserver/cluster-registry.ts";
import { bootstrap } from "../apiserver/bootstrap/objects.ts";
import { inProcessClient } from "../apiserver/registry/in-process.ts";
import { memoryStorage } from "../apiserver/storage/log.ts";
import { realWorld } from "../machinery/real-world.ts";
import { report } from "./report.ts";

const [roleCount, bindingCount, decisions] = [1_000, 5_000, 200_000];
const rule = (i: number) => ({ apiGroups: [""], resources: [`kind-${i % 50}`, "pods"], verbs: ["get", "list"] });
const all = grants();
const naive: { readonly user: string; readonly namespace: string; readonly role: number }[] = [];
for (let i = 0; i < roleCount; i++) {
  const role = { metadata: { name: `role-${i}` }, rules: [rule(i)] } as unknown as ClusterRole;
  all.setRole("ClusterRole", keyOf(role), role);
}
for (let i = 0; i < bindingCount; i++) {
  const [user, namespace] = [`user-${i % 500}`, `ns-${i % 100}`];
  const binding = {
    metadata: { name: `binding-${i}`, namespace },
    roleRef: { kind: "ClusterRole", name: `role-${i % roleCount}` },
    subjects: [{ kind: "User", name: user }],
  } as unknown as RoleBinding;
  all.setBinding(keyOf(binding), binding);
  naive.push({ user, namespace, role: i % roleCount });
}
const request = (i: number): RequestAttributes => ({
  user: { name: `user-${i % 500}`, groups: ["team", "system:authenticated"] },
  ...{ verb: i % 2 === 0 ? "get" : "delete", group: "", resource: "pods", namespace: `ns-${i % 100}` },
});
const requests = Array.from({ length: 1_000 }, (_, i) => request(i));

/** Microseconds of each of some decisions. */
function each(count: number, decideOne: (request: RequestAttributes) => boolean, of = requests): number {
  let allowed = 0;
  const began = performance.now();
  for (let i = 0; i < count; i++) if (decideOne(of[i % of.length]!)) allowed++;
  const took = performance.now() - began;
  if (allowed === 0 || allowed === count) throw new Error("the requests have to be both allowed and denied");
  return (1000 * took) / count;
}
const readAll = ({ user, namespace, ...info }: RequestAttributes): boolean =>
  naive.some((b) => b.user === user.name && b.namespace === namespace && ruleAllows(rule(b.role), info));
each(decisions, (r) => decide(all, r).allowed);
report({
  what: `an RBAC decision among ${roleCount} roles and ${bindingCount} bindings`,
  value: each(decisions, (r) => decide(all, r).allowed),
  unit: "µs",
  beside: { what: "reading all bindings", value: each(2_000, readAll), unit: "µs" },
  budget: { atMost: 10 },
});

const [nodeCount, podsPerNode] = [1_000, 30];
const graph = nodeGraph();
const secretOf = (i: number): string => `secret-${i % 500}`;
const podOn = (node: number, i: number): Pod =>
  ({
    metadata: { name: `pod-${node}-${i}`, namespace: `ns-${i % 100}` },
    spec: {
      nodeName: `node-${node}`,
      serviceAccountName: "default",
      containers: [{ env: [{ valueFrom: { configMapKeyRef: { name: "settings" } } }] }],
      volumes: [{ name: "v", secret: { secretName: secretOf(node * podsPerNode + i) } }],
    },
  }) as unknown as Pod;
const allPods = Array.from({ length: nodeCount * podsPerNode }, (_, i) =>
  podOn(i % nodeCount, Math.floor(i / nodeCount)),
);
for (const pod of allPods) graph.setPod(keyOf(pod), pod);
const ofKubelets = Array.from({ length: 1_000 }, (_, i): RequestAttributes => {
  const { metadata, spec } = allPods[(i * 31) % allPods.length]!;
  // Half of the requests are for the secret of a pod on the next node.
  const node = i % 2 === 0 ? spec.nodeName! : `node-${(Number(spec.nodeName!.slice(5)) + 1) % nodeCount}`;
  const name = spec.volumes![0]!.secret!.secretName!;
  const user = { name: `system:node:${node}`, groups: ["system:nodes", "system:authenticated"] };
  return { user, verb: "get", group: "", resource: "secrets", namespace: metadata.namespace!, name };
});
const readAllPods = ({ user, namespace, name }: RequestAttributes): boolean =>
  allPods.some(
    ({ metadata, spec }) =>
      `system:node:${spec.nodeName}` === user.name &&
      metadata.namespace === namespace &&
      spec.volumes![0]!.secret!.secretName === name,
  );
each(decisions, (r) => decideForNode(graph, r).allowed, ofKubelets);
report({
  what: `a decision for a kubelet among ${nodeCount} nodes of ${podsPerNode} pods`,
  value: each(decisions, (r) => decideForNode(graph, r).allowed, ofKubelets),
  unit: "µs",
  beside: { what: "reading all pods", value: each(200, readAllPods, ofKubelets), unit: "µs" },
  budget: { atMost: 10 },
});
const began = performance.now();
for (const pod of allPods) {
  graph.setPod(keyOf(pod), undefined);
  graph.setPod(keyOf(pod), pod);
}
report({
  what: "a pod that goes and comes back in the graph of the node authorizer",
  value: (1000 * (performance.now() - began)) / allPods.length,
  unit: "µs",
  budget: { atMost: 100 },
});

const world = realWorld(() => {});
const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
const registry = clusterRegistry(memoryStorage(), world, ranges);
const client = inProcessClient(registry);
await bootstrap(client, { address: "10.0.0.1", port: 6443, serviceCidr: ranges.serviceCidr });
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const issuer = "https://issuer.test";
const issued = tokens(registry, { issuer, key: privateKey.export({ format: "pem", type: "pkcs8" }).toString() });
const at = { name: "worker", namespace: "default" };
const account = await client.create(serviceAccounts, { kind: "ServiceAccount", metadata: at });
const containers = [{ name: "c", image: "i" }];
const pod = await client.create(pods, {
  kind: "Pod",
  metadata: at,
  spec: { containers, serviceAccountName: "worker", automountServiceAccountToken: false },
});
const newToken = (): string => issued.make(account, { audiences: [issuer], seconds: 3600, bound: { pod: named(pod) } });

/** Processor time of each verification in microseconds. Tokens are new strings each time, as those of requests are. */
async function eachToken(all: readonly string[], verify: (token: string) => Promise<unknown>): Promise<number> {
  const received = all.map((token) => Buffer.from(token));
  const start = process.cpuUsage();
  for (const bytes of received) await verify(bytes.toString("latin1"));
  const { user, system } = process.cpuUsage(start);
  return (user + system) / all.length;
}
const bare = { what: "jose", unit: "µs" } as const;
const byJose = (token: string): Promise<unknown> => jwtVerify(token, publicKey, { issuer, audience: issuer });
const [warmUp, distinct] = [500, 3_000].map((count) => Array.from({ length: count }, newToken)) as [string[], string[]];
await eachToken(warmUp, issued.ownerOf);
await eachToken(warmUp, byJose);
const joseTime = await eachToken(distinct, byJose);
report({
  what: "authentication of a service account token bound to a pod, not cached",
  value: await eachToken(distinct, issued.ownerOf),
  unit: "µs",
  beside: { ...bare, value: joseTime },
  budget: { atMost: 200 },
});
const again = Array.from({ length: 50_000 }, (_, i) => distinct[i % 100]!);
await eachToken(again, issued.ownerOf);
report({
  what: "the same, cached",
  value: await eachToken(again, issued.ownerOf),
  unit: "µs",
  beside: { ...bare, value: joseTime },
  budget: { atMost: 5 },
});
