// The examples of workloads and limits do on real containers what their first lines describe.
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { cronJobs } from "../../api/batch/cronjobs.ts";
import { jobs } from "../../api/batch/jobs.ts";
import { key } from "../../api/meta.ts";
import { run } from "../../cli/cluster/subprocess.ts";
import { testCluster, until } from "./cluster.ts";

const cluster = testCluster("e2e-workloads", "--nodes", "1");
const { output, ctl } = cluster;
const examples = join(import.meta.dirname, "../../manifests/examples");
const used: readonly string[] = [
  ...["stateful-set", "daemon-set", "job", "failure-policy", "suspended-job", "cron-job", "quota", "disruption-budget"],
];
const jobNamed = (name: string) => cluster.client.get(jobs, key("default", name));

beforeAll(async () => {
  await output(["apply", ...used.flatMap((name) => ["-f", join(examples, `${name}.yaml`)])]);
});

test("a stateful set: names that stay, an update, and back", async () => {
  await output("rollout status statefulset/web --timeout=60s");
  await output("delete pod web-1");
  await output("rollout status statefulset/web --timeout=60s");
  expect(await output("get pods -l app=stateful -o name")).toBe("pod/web-0\npod/web-1\npod/web-2\n");
  await output("set image statefulset/web web=orrery/web:2");
  await output("rollout status statefulset/web --timeout=60s");
  expect(await output("rollout history statefulset/web")).toMatch(/^1 .*\n2 /m);
  await output("rollout undo statefulset/web");
  await output("rollout status statefulset/web --timeout=60s");
  const image = await output(["get", "pod", "web-2", "-o", "jsonpath={.spec.containers[0].image}"]);
  expect(image).toBe("orrery/web:1");
});

test("a daemon set: a pod on every node, replaced by an update", async () => {
  await output("rollout status daemonset/agent --timeout=60s");
  await output("set image daemonset/agent web=orrery/web:2");
  await output("rollout status daemonset/agent --timeout=60s");
  const images = await output([
    "get",
    "pods",
    "-l",
    "app=agent",
    "-o",
    "jsonpath={.items[*].spec.containers[0].image}",
  ]);
  expect(images).toBe("orrery/web:2");
});

test("an indexed job: each part once", async () => {
  await output("wait job/job --for=condition=complete --timeout=60s");
  const lines = (await output("logs -l job-name=job")).trim().split("\n");
  expect(lines.toSorted()).toEqual(["part 0", "part 1", "part 2", "part 3"]);
  expect((await jobNamed("job")).status).toMatchObject({ succeeded: 4, completedIndexes: "0-3" });
});

test("a failure policy fails one index, and so the job", async () => {
  await output("wait job/failure-policy --for=condition=failed --timeout=60s");
  const { status } = await jobNamed("failure-policy");
  expect(status).toMatchObject({ completedIndexes: "0,1,3", failedIndexes: "2", failed: 1 });
  expect(status?.conditions?.find((c) => c.type === "Failed")?.reason).toBe("FailedIndexes");
});

test("a suspended job runs once it is resumed", async () => {
  await output("wait job/suspended-job --for=condition=suspended --timeout=60s");
  expect(await output("get pods -l job-name=suspended-job -o name")).toBe("");
  await output(["patch", "job", "suspended-job", "-p", '{"spec":{"suspend":false}}']);
  await output("wait job/suspended-job --for=condition=complete --timeout=60s");
});

test("a cron job: on time, and by hand", async () => {
  await output("create job now --from=cronjob/cron-job");
  await output("wait job/now --for=condition=complete --timeout=60s");
  const cronJob = await until(
    "a job on time",
    async () => {
      const now = await cluster.client.get(cronJobs, key("default", "cron-job"));
      // The job that was made by hand is a success of it, too.
      return now.status?.lastScheduleTime !== undefined && now.status.lastSuccessfulTime !== undefined && now;
    },
    120_000,
  );
  expect(cronJob.status?.lastScheduleTime).toMatch(/:00Z$/);
});

test("a quota admits two pods of three, and the third when it is raised", async () => {
  const available = "{.status.availableReplicas}";
  await output(["wait", "-n", "limited", "deploy/web", `--for=jsonpath=${available}=2`, "--timeout=60s"]);
  expect(await output("describe replicaset -n limited")).toContain(
    "exceeded quota: quota, requested: pods=1, used: pods=2",
  );
  expect(await output("describe quota quota -n limited")).toMatch(/^requests.cpu +100m +500m$/m);
  await output(["patch", "quota", "quota", "-n", "limited", "-p", '{"spec":{"hard":{"pods":"3"}}}']);
  await output(["wait", "-n", "limited", "deploy/web", `--for=jsonpath=${available}=3`, "--timeout=120s"]);
});

test("a pushed image is pulled under its own name, and pods do not reach the registry", async () => {
  const image = "registry.example/team/shell:1";
  await run(["docker", "tag", "orrery/busybox:1", image]);
  try {
    await cluster.orrery("image", "push", image);
  } finally {
    await run(["docker", "rmi", image]);
  }
  const address = await cluster.addressOf("registry");
  const url = `https://${address}:5000/v2/_catalog`;
  const script = `wget -q -O- --no-check-certificate ${url}; nc -w 2 ${address} 5001 </dev/null`;
  const container = { name: "c", image, imagePullPolicy: "Always", command: ["sh", "-c", script] };
  const overrides = JSON.stringify({ spec: { containers: [container] } });
  await output(["run", "pulled", "--restart=Never", `--image=${image}`, `--overrides=${overrides}`]);
  await output(["wait", "pod/pulled", "--for=jsonpath={.status.phase}=Failed", "--timeout=60s"]);
  const log = await output("logs pulled");
  expect(log).not.toContain("repositories");
  expect(log).toContain(`nc: can't connect to remote host (${address}): Connection refused`);
});

test("an image that no registry has is an error of the pod", async () => {
  await output("run missing --image=registry.invalid/none:1");
  const message = await until(
    "an error",
    async () => (await cluster.pod("missing")).status?.containerStatuses?.[0]?.state?.waiting?.message,
  );
  expect(message).toContain("registry.invalid");
  expect(message).not.toContain("5000");
  await output("delete pod missing");
});

test("a disruption budget stops evictions until there are pods to spare", async () => {
  await output("wait deploy/guarded --for=condition=available --timeout=60s");
  const drain = "drain e2e-workloads-node-1 --pod-selector=app=guarded --timeout=3s";
  const refused = await ctl(drain);
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringContaining("Cannot evict pod as it would violate the pod's disruption budget."),
  ]);
  await output("uncordon e2e-workloads-node-1");
  await output("delete pdb guarded");
  await output("drain e2e-workloads-node-1 --pod-selector=app=guarded --timeout=60s");
});
