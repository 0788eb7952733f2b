// EndpointSlice and Endpoints of services with a selector: observes the pods a service selects and their nodes' zones.
import { endpoints } from "../../api/core/endpoints.ts";
import { nodes } from "../../api/core/nodes.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import { pods } from "../../api/core/pods.ts";
import { services } from "../../api/core/services.ts";
import { endpointSlices } from "../../api/discovery/endpointslices.ts";
import type { Node, Pod, Service } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { key, keyOf } from "../../api/meta.ts";
import type { LabelSelectorLike } from "../../api/selector.ts";
import { controller, itself, type KeysOf, watch } from "../../machinery/controller.ts";
import { byLabels, selectedBy, selectorsOfChange } from "../../machinery/selector-index.ts";
import { decide, manager } from "./decide.ts";
import { cpuRatiosByZone, hasHints } from "./topology.ts";
import { slicesOf, sliceVerbs, watchSlices } from "./slices.ts";

const selectorOf = ({ spec: { selector } }: Service): LabelSelectorLike | undefined =>
  selector && { matchLabels: selector };

const servicesOf: KeysOf<Pod> = (pod, { before, views }) =>
  selectorsOfChange(views.of(services), selectorOf, pod, before).map(keyOf);

/** What the ratios of zones depend on. */
const topologyOf = ({ metadata: { labels }, status }: Node): readonly unknown[] => [
  labels,
  status?.allocatable?.["cpu"],
  conditionOf(status?.conditions, "Ready")?.status,
];
/** A change of the processors in a zone concerns the services with hints. */
const hintedServices: KeysOf<Node> = (node, { type, before, views }) =>
  type === "updated" && before && sameJson(topologyOf(before), topologyOf(node))
    ? []
    : views.of(services).byIndex("hinted", "").map(keyOf);

export const endpointSliceController = controller({
  name: "endpointslice",
  reconciles: services,
  selectorOf,
  watches: [
    watch(pods, servicesOf, byLabels),
    watchSlices(manager),
    watch(endpoints, itself),
    watch(nodes, hintedServices),
  ],
  indexes: { hinted: (service) => (hasHints(service) ? [""] : []) },
  writes: [endpointSlices, endpoints].map((kind) => ({ kind, verbs: sliceVerbs })),
  observe(views, k) {
    const service = views.of(services).get(k);
    const own = views.of(endpoints).get(k);
    if (service === undefined && own === undefined) return undefined;
    const selector = service && selectorOf(service);
    return {
      service,
      pods: selector ? selectedBy(views.of(pods), service.metadata.namespace, selector) : [],
      nodeOf: (name) => views.of(nodes).get(key(undefined, name)),
      slices: slicesOf(views, k, manager),
      endpoints: own,
      cpuRatios: service && hasHints(service) ? cpuRatiosByZone(views.of(nodes).all()) : undefined,
    };
  },
  decide,
});
