// Watches as clients rely on them: nothing missed, nothing invented, the same order for everybody.
import { CoreV1Api, Watch } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";

interface Told {
  readonly type: string;
  readonly name: string;
  readonly mutation: string | undefined;
  readonly resourceVersion: string;
}

/** The first events of a watch, in order; `begun` settles when the server has begun to answer. */
function watched({ config, namespace }: ScenarioContext, query: Record<string, string>, count: number) {
  const told: Told[] = [];
  let begun: Promise<AbortController> | undefined;
  const heard = new Promise<readonly Told[]>((resolve, reject) => {
    begun = new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      query,
      (type: string, { metadata, data }: { metadata: any; data?: any }) => {
        told.push({ type, name: metadata.name, mutation: data?.mutation, resourceVersion: metadata.resourceVersion });
        if (told.length === count) void begun!.then((watching) => watching.abort()).then(() => resolve(told));
      },
      (e) =>
        told.length < count ? reject(e ?? new Error(`ended after ${told.length} of ${count} events`)) : undefined,
    );
  });
  return { begun: begun!, heard };
}
const words = (told: readonly Told[]): readonly string[] =>
  told.map(({ type, name, mutation }) => [type, name, mutation].filter((word) => word !== undefined).join(" "));

function maps({ client, namespace }: ScenarioContext) {
  const core = client(CoreV1Api);
  const at = (name: string) => ({ name, namespace });
  return {
    create: async (name: string, labels: Record<string, string> = {}) =>
      core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels } } }),
    async mutate(name: string, mutation: string, labels?: Record<string, string>) {
      const map = await core.readNamespacedConfigMap(at(name));
      const metadata = { ...map.metadata, ...(labels && { labels }) };
      return core.replaceNamespacedConfigMap({ ...at(name), body: { ...map, metadata, data: { mutation } } });
    },
    remove: async (name: string) => void (await core.deleteNamespacedConfigMap(at(name))),
  };
}

behaviour("Watchers should observe add, update, and delete watch notifications on configmaps", async (context) => {
  const { create, mutate, remove } = maps(context);
  const selections = [
    ["watch-this=a", ["ADDED a", "MODIFIED a 1", "MODIFIED a 2", "DELETED a 2"]],
    ["watch-this=b", ["ADDED b", "DELETED b"]],
    ["watch-this in (a,b)", ["ADDED a", "MODIFIED a 1", "MODIFIED a 2", "DELETED a 2", "ADDED b", "DELETED b"]],
  ] as const;
  const watches = selections.map(([labelSelector, all]) => watched(context, { labelSelector }, all.length));
  await Promise.all(watches.map(({ begun }) => begun));
  await create("a", { "watch-this": "a" });
  await mutate("a", "1");
  await mutate("a", "2");
  await remove("a");
  await create("b", { "watch-this": "b" });
  await remove("b");
  for (const [i, [, all]] of selections.entries()) expect(words(await watches[i]!.heard)).toEqual(all);
});

behaviour("Watchers should be able to start watching from a specific resource version", async (context) => {
  const { create, mutate, remove } = maps(context);
  await create("a");
  const { metadata } = await mutate("a", "1");
  await mutate("a", "2");
  await remove("a");
  const { heard } = watched(context, { resourceVersion: metadata!.resourceVersion! }, 2);
  expect(words(await heard)).toEqual(["MODIFIED a 2", "DELETED a 2"]);
});

behaviour(
  "Watchers should be able to restart watching from the last resource version observed by the previous watch",
  async (context) => {
    const { create, mutate, remove } = maps(context);
    const first = watched(context, {}, 2);
    await first.begun;
    await create("a");
    await mutate("a", "1");
    const last = (await first.heard).at(-1)!;
    await mutate("a", "2");
    await remove("a");
    const { heard } = watched(context, { resourceVersion: last.resourceVersion }, 2);
    expect(words(await heard)).toEqual(["MODIFIED a 2", "DELETED a 2"]);
  },
);

behaviour(
  "Watchers should observe an object deletion if it stops meeting the requirements of the selector",
  async (context) => {
    const { create, mutate, remove } = maps(context);
    const watch = watched(context, { labelSelector: "watch-this=yes" }, 6);
    await watch.begun;
    await create("a", { "watch-this": "yes" });
    await mutate("a", "1");
    await mutate("a", "1", { "watch-this": "no" });
    await mutate("a", "2");
    await mutate("a", "2", { "watch-this": "yes" });
    await mutate("a", "3");
    await remove("a");
    expect(words(await watch.heard)).toEqual([
      "ADDED a",
      "MODIFIED a 1",
      "DELETED a 1",
      "ADDED a 2",
      "MODIFIED a 3",
      "DELETED a 3",
    ]);
  },
);

behaviour("Watchers should receive events on concurrent watches in same order", async (context) => {
  const { create, mutate, remove } = maps(context);
  const { metadata } = await create("zero");
  const from = { resourceVersion: metadata!.resourceVersion! };
  const writes = Array.from({ length: 30 }, (_, i) => async () => {
    await create(`m-${i}`);
    await mutate(`m-${i}`, "1");
    await remove(`m-${i}`);
  });
  const first = watched(context, from, writes.length * 3);
  await Promise.all(writes.map((write) => write()));
  const all = await first.heard;
  // Each later one begins where the first one was at some time, and must tell the rest as the first one told it.
  for (const begin of [0, 7, 20, 42, 88]) {
    const { heard } = watched(context, { resourceVersion: all[begin]!.resourceVersion }, all.length - begin - 1);
    expect(await heard).toEqual(all.slice(begin + 1));
  }
});
