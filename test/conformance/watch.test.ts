// Watches: complete and consistent events, in the same order for all clients.
import { CoreV1Api, Watch } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";

interface WatchEvent {
  readonly type: string;
  readonly name: string;
  readonly mutation: string | undefined;
  readonly resourceVersion: string;
}

/** The first events of a watch, in order. `started` settles when the response begins. */
function watched({ config, namespace }: ScenarioContext, query: Record<string, string>, count: number) {
  const received: WatchEvent[] = [];
  let started: Promise<AbortController> | undefined;
  const events = new Promise<readonly WatchEvent[]>((resolve, reject) => {
    started = new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      query,
      (type: string, { metadata, data }: { metadata: any; data?: any }) => {
        received.push({
          type,
          name: metadata.name,
          mutation: data?.mutation,
          resourceVersion: metadata.resourceVersion,
        });
        if (received.length === count) void started!.then((watching) => watching.abort()).then(() => resolve(received));
      },
      (e) =>
        received.length < count
          ? reject(e ?? new Error(`ended after ${received.length} of ${count} events`))
          : undefined,
    );
  });
  return { started: started!, events };
}
const words = (received: readonly WatchEvent[]): readonly string[] =>
  received.map(({ type, name, mutation }) => [type, name, mutation].filter((word) => word !== undefined).join(" "));

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
  await Promise.all(watches.map(({ started }) => started));
  await create("a", { "watch-this": "a" });
  await mutate("a", "1");
  await mutate("a", "2");
  await remove("a");
  await create("b", { "watch-this": "b" });
  await remove("b");
  for (const [i, [, all]] of selections.entries()) expect(words(await watches[i]!.events)).toEqual(all);
});

behaviour("Watchers should be able to start watching from a specific resource version", async (context) => {
  const { create, mutate, remove } = maps(context);
  await create("a");
  const { metadata } = await mutate("a", "1");
  await mutate("a", "2");
  await remove("a");
  const { events } = watched(context, { resourceVersion: metadata!.resourceVersion! }, 2);
  expect(words(await events)).toEqual(["MODIFIED a 2", "DELETED a 2"]);
});

behaviour(
  "Watchers should be able to restart watching from the last resource version observed by the previous watch",
  async (context) => {
    const { create, mutate, remove } = maps(context);
    const first = watched(context, {}, 2);
    await first.started;
    await create("a");
    await mutate("a", "1");
    const last = (await first.events).at(-1)!;
    await mutate("a", "2");
    await remove("a");
    const { events } = watched(context, { resourceVersion: last.resourceVersion }, 2);
    expect(words(await events)).toEqual(["MODIFIED a 2", "DELETED a 2"]);
  },
);

behaviour(
  "Watchers should observe an object deletion if it stops meeting the requirements of the selector",
  async (context) => {
    const { create, mutate, remove } = maps(context);
    const watch = watched(context, { labelSelector: "watch-this=yes" }, 6);
    await watch.started;
    await create("a", { "watch-this": "yes" });
    await mutate("a", "1");
    await mutate("a", "1", { "watch-this": "no" });
    await mutate("a", "2");
    await mutate("a", "2", { "watch-this": "yes" });
    await mutate("a", "3");
    await remove("a");
    expect(words(await watch.events)).toEqual([
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
  const all = await first.events;
  // Each later watch begins at a revision the first one has seen, and must have the same remaining events.
  for (const begin of [0, 7, 20, 42, 88]) {
    const { events } = watched(context, { resourceVersion: all[begin]!.resourceVersion }, all.length - begin - 1);
    expect(await events).toEqual(all.slice(begin + 1));
  }
});
