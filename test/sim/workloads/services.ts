// Services: one with a selector, whose pods users scale, relabel and break, and one whose addresses users write.
import { deployments } from "../../../api/apps/deployments.ts";
import { endpoints } from "../../../api/core/endpoints.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { isReady, isTerminal } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import { services } from "../../../api/core/services.ts";
import { endpointSlices, serviceLabel } from "../../../api/discovery/endpointslices.ts";
import type { Deployment, Endpoint, Endpoints, Pod, Service } from "../../../api/generated/types.ts";
import { type Draft, key, keyOf } from "../../../api/meta.ts";
import type { Committed } from "../judge.ts";
import { oneOf, type Workload } from "./workload.ts";

const namespace = "served";
const [selecting, written] = ["selecting", "written"];
const topologyMode = "service.kubernetes.io/topology-mode";
const labels = { app: "web" };

const deployment: Draft<Deployment> = {
  kind: "Deployment",
  metadata: { name: "web", namespace },
  spec: {
    replicas: 4,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels: { ...labels, side: "blue" } },
      spec: { containers: [{ name: "main", image: "app:1" }] },
    },
  },
};
const service = (name: string, selector?: Readonly<Record<string, string>>): Draft<Service> => ({
  kind: "Service",
  metadata: { name, namespace },
  spec: { ports: [{ port: 80 }], ...(selector && { selector }) },
});
const address = (i: number): { readonly ip: string } => ({ ip: `192.0.2.${i}` });
const subsets = (count: number) => [
  { addresses: Array.from({ length: count }, (_, i) => address(i + 1)), ports: [{ port: 80 }] },
];

const serviceOf = (committed: Committed, name: string): Service | undefined =>
  committed.all(services).find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
const listedIn = (committed: Committed, name: string): readonly Endpoint[] =>
  committed
    .all(endpointSlices)
    .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[serviceLabel] === name)
    .flatMap((slice) => slice.endpoints ?? []);
const selected = (committed: Committed): readonly Pod[] => {
  const selector = Object.entries(serviceOf(committed, selecting!)?.spec.selector ?? {});
  const matching = (p: Pod): boolean => selector.every(([name, value]) => p.metadata.labels?.[name] === value);
  return committed
    .all(pods)
    .filter((p) => p.metadata.namespace === namespace && p.status?.podIP && !isTerminal(p) && matching(p));
};

/** The slices list each pod once, as it is. */
function listedWrongly(committed: Committed): readonly string[] {
  if (!serviceOf(committed, selecting!)) return [];
  const listed = listedIn(committed, selecting!);
  const actual = listed
    .map((e) => `${e.targetRef?.name} ${e.conditions?.ready}`)
    .toSorted()
    .join();
  const desired = selected(committed)
    .map((p) => `${p.metadata.name} ${isReady(p)}`)
    .toSorted()
    .join();
  const hinted = listed.filter((e) => e.hints).length;
  const mayHint = serviceOf(committed, selecting!)?.metadata.annotations?.[topologyMode] === "Auto";
  // All of them or none: traffic to a zone without an endpoint would go nowhere.
  const areHintsWrong = hinted > 0 && (!mayHint || hinted < listed.filter((e) => e.conditions?.ready).length);
  return [
    ...(actual === desired ? [] : [`slices list ${actual} in place of ${desired}`]),
    ...(areHintsWrong ? [`${hinted} of ${listed.length} endpoints have hints`] : []),
  ];
}

function mirroredWrongly(committed: Committed): readonly string[] {
  const source = committed
    .all(endpoints)
    .find(({ metadata }) => keyOf({ metadata } as never) === `${namespace}/${written}`);
  const desired = (source?.subsets ?? [])
    .flatMap((s) => s.addresses ?? [])
    .map(({ ip }) => ip)
    .toSorted()
    .join();
  const actual = listedIn(committed, written!)
    .flatMap((e) => e.addresses)
    .toSorted()
    .join();
  return actual === desired ? [] : [`slices mirror ${actual} in place of ${desired}`];
}

export const serviceWorkload: Workload = {
  kinds: [services, endpointSlices, endpoints, pods],
  async begin(user) {
    await user.create(namespaces, { kind: "Namespace", metadata: { name: namespace }, spec: {} });
    await user.create(deployments, deployment);
    await user.create(services, service(selecting!, labels));
    await user.create(services, service(written!));
    const own: Draft<Endpoints> = { kind: "Endpoints", metadata: { name: written!, namespace }, subsets: subsets(2) };
    await user.create(endpoints, own);
  },
  async meddle(user, random) {
    const dice = random.next();
    const merge = (name: string, patch: object): Promise<unknown> =>
      user.patch(services, key(namespace, name), { type: "merge", patch });
    const count = Math.floor(random.next() * 6);
    if (dice < 0.25)
      await user.patch(deployments, key(namespace, "web"), { type: "merge", patch: { spec: { replicas: count } } });
    else if (dice < 0.45) {
      const pod = oneOf((await user.list(pods, { namespace })).items, random);
      const side = oneOf(["blue", "green"], random)!;
      if (pod) await user.patch(pods, keyOf(pod), { type: "merge", patch: { metadata: { labels: { side } } } });
    } else if (dice < 0.6) {
      const side = oneOf(["blue", "green", null], random)!;
      await merge(selecting!, { spec: { selector: { side } } });
    } else if (dice < 0.75)
      await merge(selecting!, { metadata: { annotations: { [topologyMode]: oneOf(["Auto", null], random) } } });
    else if (dice < 0.9)
      await user.patch(endpoints, key(namespace, written!), { type: "merge", patch: { subsets: subsets(count) } });
    else {
      await user.delete(services, key(namespace, selecting!)).catch(() => {});
      await user.create(services, service(selecting!, labels));
    }
  },
  rules: () => [],
  unsettled: (committed) => [...listedWrongly(committed), ...mirroredWrongly(committed)],
};
