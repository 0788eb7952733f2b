// Endpoints of services with running controllers. No node runs the pods: the test writes their status.
import { CoreV1Api, DiscoveryV1Api, type V1Endpoints, type V1EndpointSlice } from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";
import { waitOptions, whileControlled } from "./running-controllers.ts";
import { patched, refused } from "./requests.ts";

const selector = { app: "echo" };
const port = { name: "http", port: 80, targetPort: 8080 as unknown as string };

interface Behind {
  readonly endpoints: () => Promise<V1Endpoints>;
  readonly slices: () => Promise<readonly V1EndpointSlice[]>;
}
const behind = ({ client, namespace }: ScenarioContext, name: string): Behind => ({
  endpoints: () => client(CoreV1Api).readNamespacedEndpoints({ namespace, name }),
  slices: async () => {
    const labelSelector = `kubernetes.io/service-name=${name}`;
    return (await client(DiscoveryV1Api).listNamespacedEndpointSlice({ namespace, labelSelector })).items;
  },
});
const serviceOf = (name: string, spec: object): any => ({ metadata: { name }, spec: { ports: [port], ...spec } });

/** A pod whose status has this address and is ready. */
async function readyPod({ client, send, namespace }: ScenarioContext, name: string, ip: string): Promise<void> {
  const body: any = { metadata: { name, labels: selector }, spec: { containers: [{ name: "c", image: "echo:1" }] } };
  await client(CoreV1Api).createNamespacedPod({ namespace, body });
  const conditions = [{ type: "Ready", status: "True" }];
  const status = { phase: "Running", podIP: ip, podIPs: [{ ip }], conditions };
  await patched(send, `/api/v1/namespaces/${namespace}/pods/${name}/status`, { status });
}
const addressesIn = (slices: readonly V1EndpointSlice[]): readonly string[] =>
  slices
    .flatMap((s) => s.endpoints)
    .flatMap((e) => e?.addresses ?? [])
    .toSorted();

async function followsPods(context: ScenarioContext): Promise<void> {
  const { endpoints, slices } = behind(context, "echo");
  await whileControlled(context, async () => {
    await context
      .client(CoreV1Api)
      .createNamespacedService({ namespace: context.namespace, body: serviceOf("echo", { selector }) });
    await readyPod(context, "a", "10.244.1.2");
    await readyPod(context, "b", "10.244.1.3");
    await vi.waitFor(
      async () => expect(addressesIn(await slices())).toEqual(["10.244.1.2", "10.244.1.3"]),
      waitOptions,
    );
    await vi.waitFor(async () => {
      const [subset] = (await endpoints()).subsets ?? [];
      expect([subset?.addresses?.map((a) => a.ip), subset?.ports?.map((p) => p.port)]).toEqual([
        ["10.244.1.2", "10.244.1.3"],
        [8080],
      ]);
    }, waitOptions);
    const [slice] = await slices();
    expect([slice?.addressType, slice?.ports?.map((p) => [p.name, p.port, p.protocol])]).toEqual([
      "IPv4",
      [["http", 8080, "TCP"]],
    ]);
    expect(slice?.endpoints?.map((e) => [e.targetRef?.kind, e.targetRef?.name, e.conditions?.ready])).toEqual([
      ["Pod", "a", true],
      ["Pod", "b", true],
    ]);
  });
}
behaviour("EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service", followsPods);
behaviour("EndpointsController should create Endpoints for Pods matching a Service", followsPods);

async function matchesNobody(context: ScenarioContext): Promise<void> {
  const core = context.client(CoreV1Api);
  const { namespace } = context;
  const { endpoints, slices } = behind(context, "nobody");
  await whileControlled(context, async () => {
    await core.createNamespacedService({ namespace, body: serviceOf("nobody", { selector: { app: "nobody" } }) });
    await vi.waitFor(async () => expect((await slices()).map((s) => s.endpoints ?? [])).toEqual([[]]), waitOptions);
    await vi.waitFor(async () => expect((await endpoints()).subsets ?? []).toEqual([]), waitOptions);
    await core.deleteNamespacedService({ namespace, name: "nobody" });
    await vi.waitFor(async () => expect(await slices()).toEqual([]), waitOptions);
    await vi.waitFor(async () => expect((await refused(endpoints())).code).toBe(404), waitOptions);
  });
}
behaviour(
  "EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods",
  matchesNobody,
);
behaviour(
  "EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods",
  matchesNobody,
);

behaviour(
  "EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete",
  async (context) => {
    const core = context.client(CoreV1Api);
    const { namespace } = context;
    const { slices } = behind(context, "custom");
    const custom = (ip: string, at: number): any => ({
      metadata: { name: "custom" },
      subsets: [{ addresses: [{ ip }], ports: [{ port: at }] }],
    });
    const mirrored = async (): Promise<unknown> =>
      (await slices()).map((s) => [addressesIn([s]), s.ports?.map((p) => p.port)]);
    await whileControlled(context, async () => {
      await core.createNamespacedService({ namespace, body: serviceOf("custom", {}) });
      await core.createNamespacedEndpoints({ namespace, body: custom("10.1.2.3", 80) });
      await vi.waitFor(async () => expect(await mirrored()).toEqual([[["10.1.2.3"], [80]]]), waitOptions);
      await core.replaceNamespacedEndpoints({ namespace, name: "custom", body: custom("10.2.3.4", 8080) });
      await vi.waitFor(async () => expect(await mirrored()).toEqual([[["10.2.3.4"], [8080]]]), waitOptions);
      await core.deleteNamespacedEndpoints({ namespace, name: "custom" });
      await vi.waitFor(async () => expect(await slices()).toEqual([]), waitOptions);
    });
  },
);
