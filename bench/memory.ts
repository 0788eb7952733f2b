// The resident memory of components after several rollouts of 20 pods.
import { deployments } from "../api/apps/deployments.ts";
import { key } from "../api/meta.ts";
import type { StatusRow } from "../cli/cluster/status.ts";
import { readyPods, until, withCluster } from "./cluster.ts";
import { report } from "./report.ts";

const rounds = 5;

await withCluster("bench-memory", 3, async ({ client, orrery }) => {
  const template = {
    metadata: { labels: { app: "web" } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "web", image: "orrery/web:1", resources: { requests: { cpu: "50m" } } }],
    },
  };
  await client.create(deployments, {
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: { replicas: 20, selector: { matchLabels: { app: "web" } }, template },
  });
  for (let round = 1; round <= rounds; round++) {
    await until("twenty pods", async () => (await readyPods(client, "web")).length >= 20);
    const patch = { spec: { template: { metadata: { annotations: { round: String(round) } } } } };
    await client.patch(deployments, key("default", "web"), { type: "merge", patch });
    await until(
      "the new version",
      async () => (await client.get(deployments, key("default", "web"))).status?.updatedReplicas === 20,
    );
  }
  await until("twenty pods", async () => (await readyPods(client, "web")).length === 20);
  const rows = JSON.parse(await orrery("status", "-o", "json")) as readonly StatusRow[];
  const most = (component: string): number =>
    Math.max(...rows.filter((r) => r.component === component).map((r) => (r.residentBytes ?? 0) / 1e6));
  report({
    what: "control plane without etcd",
    value: most("server"),
    unit: "MB",
    beside: { what: "etcd", value: most("etcd"), unit: "MB" },
    budget: { atMost: 250 },
  });
  report({
    what: "a node's agent, the largest",
    value: most("agent"),
    unit: "MB",
    beside: { what: "its dockerd and containerd", value: most("dockerd"), unit: "MB" },
    budget: { atMost: 120 },
  });
});
