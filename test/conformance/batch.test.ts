// The API of CronJobs, without controllers.
import { BatchV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";
import { historyOf, patched } from "./requests.ts";

const cronJob = (name: string): object => ({
  metadata: { name, labels: { special: "yes" } },
  spec: {
    schedule: "*/1 * * * *",
    suspend: true,
    jobTemplate: {
      spec: { template: { spec: { restartPolicy: "OnFailure", containers: [{ name: "c", image: "busybox:1" }] } } },
    },
  },
});

behaviour("CronJob should support CronJob API operations", async ({ send, client, namespace }) => {
  const batch = client(BatchV1Api);
  const root = `/apis/batch/v1/namespaces/${namespace}/cronjobs`;
  for (const path of ["/apis", "/apis/batch", "/apis/batch/v1"]) expect((await send(path)).text).toContain("batch");
  const { resources } = JSON.parse((await send("/apis/batch/v1")).text);
  expect(resources.map((r: any) => r.name)).toEqual(expect.arrayContaining(["cronjobs", "cronjobs/status"]));

  const first = await batch.createNamespacedCronJob({ namespace, body: cronJob("a") as never });
  for (const name of ["b", "c"]) await batch.createNamespacedCronJob({ namespace, body: cronJob(name) as never });
  const a = { namespace, name: "a" };
  expect((await batch.readNamespacedCronJob(a)).metadata?.uid).toBe(first.metadata?.uid);
  const labelSelector = "special=yes";
  expect((await batch.listNamespacedCronJob({ namespace, labelSelector })).items).toHaveLength(3);
  const everywhere = await batch.listCronJobForAllNamespaces({ labelSelector });
  expect(everywhere.items.filter((c) => c.metadata?.namespace === namespace)).toHaveLength(3);

  await patched(send, `${root}/a`, { metadata: { annotations: { patched: "true" } } });
  const read = await batch.readNamespacedCronJob(a);
  read.metadata!.annotations!["updated"] = "true";
  const updated = await batch.replaceNamespacedCronJob({ ...a, body: read });
  expect(updated.metadata?.annotations).toMatchObject({ patched: "true", updated: "true" });
  const events = await historyOf(send, `${root}?labelSelector=${labelSelector}`, first.metadata!.resourceVersion!);
  expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
    "ADDED b",
    "ADDED c",
    "MODIFIED a",
    "MODIFIED a",
  ]);

  const lastScheduleTime = "2026-01-01T00:00:00Z";
  const status = { metadata: { annotations: { status: "patched" } }, status: { lastScheduleTime } };
  expect((await patched(send, `${root}/a/status`, status)).status).toMatchObject({ lastScheduleTime });
  const current = await batch.readNamespacedCronJobStatus(a);
  current.status = { lastScheduleTime: new Date("2026-01-02T00:00:00Z") };
  const written = await batch.replaceNamespacedCronJobStatus({ ...a, body: current });
  expect(written.status?.lastScheduleTime?.toISOString()).toBe("2026-01-02T00:00:00.000Z");

  await batch.deleteNamespacedCronJob(a);
  const left = await batch.listNamespacedCronJob({ namespace, labelSelector });
  expect(left.items.map((c) => c.metadata?.name)).toEqual(["b", "c"]);
  await batch.deleteCollectionNamespacedCronJob({ namespace, labelSelector });
  expect((await batch.listNamespacedCronJob({ namespace, labelSelector })).items).toEqual([]);
});
