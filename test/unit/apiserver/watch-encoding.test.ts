// Watch events are encoded once for all watchers of the same form and selection.
import { expect, test } from "vitest";
import { configMaps } from "../../../api/core/configmaps.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { type WatchRequest, watchLines } from "../../../apiserver/watch/watch.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { realWorld } from "../../../machinery/real-world.ts";

const world = realWorld(() => {});

test("watchers with the same event share its bytes, others get their own", async () => {
  const verbs = clusterRegistry(memoryStorage(), world, { serviceCidr: "10.96.0.0/16", nodePorts: { from: 1, to: 2 } });
  const client = inProcessClient(verbs);
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "default" }, spec: {} });
  const stop = new AbortController();
  const from = await verbs.revision();
  const watch = (labelSelector?: string): AsyncGenerator<Buffer> => {
    const view = { form: "Plain", version: "v1", isList: false, writing: "json", pretty: false } as const;
    const begin = { with: "what came after", from } as const;
    const selection = labelSelector === undefined ? {} : { labelSelector };
    const request: WatchRequest = {
      ...{ r: configMaps, selection, begin },
      view: { ...view, include: "None", now: world.clock.now() },
    };
    return watchLines(verbs, request, stop.signal);
  };
  const watchers = [watch(), watch("in=yes"), watch(), watch("in=yes")];
  const next = async (): Promise<readonly Buffer[]> =>
    (await Promise.all(watchers.map((lines) => lines.next()))).map(({ value }) => value as Buffer);
  const typesOf = (lines: readonly Buffer[]): string[] => lines.map((line) => JSON.parse(String(line)).type);
  const metadata = { name: "one", namespace: "default" };
  const made = await client.create(configMaps, { kind: "ConfigMap", metadata: { ...metadata, labels: { in: "yes" } } });
  const first = await next();
  expect(typesOf(first)).toEqual(["ADDED", "ADDED", "ADDED", "ADDED"]);
  expect(new Set(first).size).toBe(1);
  await client.update(configMaps, { ...made, metadata: { ...made.metadata, labels: { in: "no" } } });
  expect(typesOf(await next())).toEqual(["MODIFIED", "DELETED", "MODIFIED", "DELETED"]);
  stop.abort();
});
