// Events of both groups: created, counted and deleted.
import { CoreV1Api, EventsV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";
import { patched } from "./requests.ts";

const labels = { "testevent-set": "true" };
const labelSelector = "testevent-set=true";
const event = (namespace: string, name: string): any => ({
  metadata: { name, labels },
  message: "This is a test event",
  reason: "Test",
  type: "Normal",
  count: 1,
  involvedObject: { namespace },
});

behaviour("Events should manage the lifecycle of an event", async ({ send, client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "event-test";
  const path = `/api/v1/namespaces/${namespace}/events/${name}`;
  await core.createNamespacedEvent({ namespace, body: event(namespace, name) });
  const listed = await core.listEventForAllNamespaces({ labelSelector });
  expect(listed.items.filter((e) => e.metadata?.namespace === namespace)).toHaveLength(1);
  await patched(send, path, { message: "This is a test event - patched" }, "strategic");
  const read = await core.readNamespacedEvent({ namespace, name });
  expect(read.message).toBe("This is a test event - patched");
  const updated = await core.replaceNamespacedEvent({
    namespace,
    name,
    body: { ...read, series: { count: 100, lastObservedTime: new Date("2026-01-01T00:00:00Z") as never } },
  });
  expect(updated.series?.count).toBe(100);
  await core.deleteNamespacedEvent({ namespace, name });
  expect((await core.listNamespacedEvent({ namespace, labelSelector })).items).toEqual([]);
});

behaviour("Events should delete a collection of events", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  for (const name of ["one", "two", "three"])
    await core.createNamespacedEvent({ namespace, body: event(namespace, name) });
  expect((await core.listNamespacedEvent({ namespace, labelSelector })).items).toHaveLength(3);
  await core.deleteCollectionNamespacedEvent({ namespace, labelSelector });
  expect((await core.listNamespacedEvent({ namespace, labelSelector })).items).toEqual([]);
});

const newEvent = (namespace: string, name: string): any => ({
  metadata: { name, labels },
  regarding: { namespace },
  eventTime: "2026-01-01T00:00:00.123456Z",
  note: `This is ${name}`,
  action: "Do",
  reason: "Test",
  type: "Normal",
  reportingController: "test-controller",
  reportingInstance: "test-node",
});
const create = async (send: ScenarioContext["send"], namespace: string, name: string): Promise<any> => {
  const response = await send(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(newEvent(namespace, name)),
  });
  expect(response.status, response.text).toBe(201);
  return JSON.parse(response.text);
};

behaviour(
  "Events API should ensure that an event can be fetched, patched, deleted, and listed",
  async ({ send, client, namespace }) => {
    const [events, core] = [client(EventsV1Api), client(CoreV1Api)];
    const name = "event-test";
    await create(send, namespace, name);
    const other = await core.readNamespacedEvent({ namespace, name });
    expect([other.message, other.reportingComponent]).toEqual(["This is event-test", "test-controller"]);
    const fieldSelector = "reportingController=test-controller";
    const found = await events.listEventForAllNamespaces({ fieldSelector });
    expect(found.items.filter((e) => e.metadata?.namespace === namespace)).toHaveLength(1);
    expect((await events.listNamespacedEvent({ namespace, labelSelector })).items).toHaveLength(1);

    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events/${name}`;
    const series = { count: 2, lastObservedTime: "2026-01-01T00:00:05.000000Z" };
    expect((await patched(send, path, { series })).series).toEqual(series);
    const response = await send(path);
    const body = JSON.stringify({ ...JSON.parse(response.text), series: { ...series, count: 100 } });
    const headers = { "content-type": "application/json" };
    const replaced = await send(path, { method: "PUT", headers, body });
    expect([replaced.status, JSON.parse(replaced.text).series.count]).toEqual([200, 100]);
    await events.deleteNamespacedEvent({ namespace, name });
    expect((await events.listNamespacedEvent({ namespace, labelSelector })).items).toEqual([]);
  },
);

behaviour("Events API should delete a collection of events", async ({ send, client, namespace }) => {
  const events = client(EventsV1Api);
  for (const name of ["one", "two", "three"]) await create(send, namespace, name);
  expect((await events.listNamespacedEvent({ namespace, labelSelector })).items).toHaveLength(3);
  await events.deleteCollectionNamespacedEvent({ namespace, labelSelector });
  expect((await events.listNamespacedEvent({ namespace, labelSelector })).items).toEqual([]);
});
