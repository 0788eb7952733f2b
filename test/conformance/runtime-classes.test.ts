// Pods with a missing RuntimeClass.
import { CoreV1Api, NodeV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";
import { refused } from "./requests.ts";

const run = ({ client, namespace }: ScenarioContext, name: string, more: object) =>
  client(CoreV1Api).createNamespacedPod({
    namespace,
    body: { metadata: { name }, spec: { containers: [{ name: "c", image: "pause:1" }], ...more } },
  });

behaviour("RuntimeClass should reject a Pod requesting a non-existent RuntimeClass", async (context) => {
  const runtimeClassName = `${context.namespace}-nonexistent`;
  const { code, body } = await refused(run(context, "p", { runtimeClassName }));
  expect(code).toBe(403);
  expect(body.message).toBe(`pods "p" is forbidden: pod rejected: RuntimeClass "${runtimeClassName}" not found`);
  const unfounded = await refused(run(context, "p", { overhead: { cpu: "1m" } }));
  expect(unfounded.code).toBe(403);
  expect(unfounded.body.message).toContain("Pod Overhead set without corresponding RuntimeClass defined Overhead");
});

behaviour("RuntimeClass should reject a Pod requesting a deleted RuntimeClass", async (context) => {
  const classes = context.client(NodeV1Api);
  const runtimeClassName = `${context.namespace}-vm`;
  const overhead = { podFixed: { cpu: "10m" } };
  await classes.createRuntimeClass({ body: { metadata: { name: runtimeClassName }, handler: "vm", overhead } });
  const admitted = await run(context, "before", { runtimeClassName });
  expect(admitted.spec?.overhead).toEqual({ cpu: "10m" });
  await classes.deleteRuntimeClass({ name: runtimeClassName });
  expect((await refused(run(context, "after", { runtimeClassName }))).code).toBe(403);
});
