// What permission costs: the API server that allows everything, and the same server with roles, pod security by labels and
// an audit log, measured in turns. The user has a role in a namespace, among a thousand others.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realWorld } from "../machinery/real-world.ts";
import { rate, type Send, sender } from "./api/load.ts";
import { podDraft } from "./api/pod.ts";
import { newTrust, type ServerProcess, startServer } from "./api/process.ts";
import { median, report } from "./report.ts";

const seconds = Number(process.argv[2] ?? 3);
const [turns, roleCount, user] = [5, 1_000, "developer"];
const pods = "/api/v1/namespaces/default/pods";
const rbac = "/apis/rbac.authorization.k8s.io/v1";

async function prepare(send: Send): Promise<void> {
  const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "create"] }];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "role-0" };
  for (let i = 0; i < roleCount; i++) {
    const metadata = { name: `role-${i}` };
    await send("POST", `${rbac}/clusterroles`, JSON.stringify({ metadata, rules }));
    const subjects = [{ kind: "User", name: i === 0 ? user : `user-${i}` }];
    await send("POST", `${rbac}/namespaces/default/rolebindings`, JSON.stringify({ metadata, roleRef, subjects }));
  }
  const labels = { "pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/warn": "baseline" };
  await send("PATCH", "/api/v1/namespaces/default", JSON.stringify({ metadata: { labels } }));
  for (let i = 0; i < 1_000; i++) await send("POST", pods, JSON.stringify(podDraft({ name: `pod-${i}` })));
}

const trust = await newTrust(realWorld(() => {}).clock.now(), user);
const folder = await mkdtemp(join(tmpdir(), "orrery-bench-"));
const kinds = {
  off: { allowsEverything: true },
  roles: {},
  audited: { auditLog: join(folder, "audit.log") },
} as const;
type Kind = keyof typeof kinds;
const servers = new Map<Kind, ServerProcess>();
for (const kind of Object.keys(kinds) as Kind[]) {
  const server = await startServer({ serve: "memory", ...trust, ...kinds[kind] });
  servers.set(kind, server);
  await prepare(sender(server, trust));
}

const requests = [
  { what: "GET", path: `${pods}/pod-500` },
  { what: "LIST of 100", path: `${pods}?limit=100` },
  { what: "create", path: pods, post: JSON.stringify(podDraft({ generateName: "made-" })) },
];
for (const { what, ...request } of requests) {
  const rates: Record<Kind, number[]> = { off: [], roles: [], audited: [] };
  for (let turn = 0; turn <= turns; turn++)
    for (const [kind, server] of servers) {
      const perSecond = await rate(server, { ...trust, admin: trust.user }, { ...request, seconds });
      // The first turn is a warm-up.
      if (turn > 0) rates[kind].push(perSecond);
    }
  const off = median(rates.off);
  for (const [kind, name] of [
    ["roles", "roles and pod security"],
    ["audited", "the same, audited"],
  ] as const)
    report({
      what: `${what} with ${name}, of the rate without`,
      value: (100 * median(rates[kind])) / off,
      unit: "%",
      beside: { what: "without", value: off, unit: "/s" },
      budget: { atLeast: 95 },
    });
}
for (const server of servers.values()) await server.close();
await rm(folder, { recursive: true });
