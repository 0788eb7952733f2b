// Claims for devices on a real node: allocated by selectors, seen by the container that names them, given back with
// their pod, also when the kubelet is killed meanwhile.
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { resourceClaims } from "../../api/resource/resourceclaims.ts";
import { run } from "../../cli/cluster/subprocess.ts";
import { testCluster, until } from "./cluster.ts";

const cluster = testCluster("e2e-devices", "--nodes", "1");
const { output } = cluster;
const example = join(import.meta.dirname, "devices.yaml");
const inNode = (script: string): Promise<string> => cluster.inNode("node-1", "sh", "-c", script);
const prepared = (): Promise<string> => inNode("cat /var/lib/orrery/dra_manager_state 2>/dev/null || true");

beforeAll(async () => {
  const driver = ["node", "/opt/orrery/test/e2e/device-driver.ts", "/etc/orrery/agent.json"];
  await run(["docker", "exec", "--detach", `${cluster.name}-node-1`, ...driver]);
  await until("the slice is published", async () => (await output("get resourceslices")).includes("test-driver"));
});

test("devices are allocated, and only the container that names them sees them", async () => {
  await output(["apply", "-f", example]);
  await output("wait pod/train --for=condition=Ready --timeout=60s");
  expect(await output("logs train -c train")).toMatch(/^DEVICE_gpu=gpu-[02]\n$/);
  expect(await output("logs train -c log")).toBe("0\n");
  expect(await output("get resourceclaims")).toMatch(
    /^small-gpu +(allocated,reserved|pending) .*\ntrain-gpus-\w+ +allocated,reserved /m,
  );
  expect(await cluster.orrery("describe", "node", `${cluster.name}-node-1`)).toMatch(
    /test-driver.example.com +\S+-node-1 +1 +3/,
  );
});

test("a claim is released when its pod has ended, and the next pod gets it", async () => {
  await output("wait pod/small --for=jsonpath={.status.phase}=Succeeded --timeout=60s");
  expect(await output("logs small")).toBe("DEVICE_gpu=gpu-1\n");
  await until("the claim is deallocated", async () => / pending /.test(await output("get resourceclaim small-gpu")));
});

test("a kubelet that is killed finds again what it has to release", async () => {
  expect(await prepared()).toContain("train-gpus-");
  await inNode("kill -9 $(cat /run/orrery/agent/pid)");
  await output("delete pod train");
  await until("the generated claim is gone", async () => {
    const { items } = await cluster.client.list(resourceClaims);
    return items.every(({ metadata }) => metadata.name === "small-gpu");
  });
  await until("nothing is prepared", async () => !(await prepared()).includes("train-gpus-"));
  expect(await inNode("ls /var/run/cdi")).toBe("");
});
