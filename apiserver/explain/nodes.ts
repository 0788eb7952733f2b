// What the agents of nodes report: the kubelet of a pod, the proxy of a service. Over the kubelets' own port, with
// the server's client certificate.
import { nodes } from "../../api/core/nodes.ts";
import { endpointSlices } from "../../api/discovery/endpointslices.ts";
import type { KubeletExplanation, ServiceExplanation } from "../../api/explanation/explanation.ts";
import type { Pod, Service } from "../../api/generated/types.ts";
import { keyOf, timestamp } from "../../api/meta.ts";
import type { Clock } from "../../machinery/world.ts";
import { type Kubelets, textOf } from "../kubelets/kubelets.ts";
import type { Reader } from "./reader.ts";

interface Ports {
  readonly kubelets: Pick<Kubelets, "get">;
  readonly clock: Clock;
}

const pathTo = (what: string, { metadata: { namespace = "", name } }: Pod | Service): string =>
  `/${what}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;

const read = async (kubelets: Ports["kubelets"], node: string, path: string, signal: AbortSignal): Promise<unknown> =>
  JSON.parse(await textOf(await kubelets.get(node, path, path.slice(1), signal)));

/** The kubelet's last decisions about a pod that has a node. */
export async function kubeletPart(
  pod: Pod,
  { kubelets, clock }: Ports,
  signal: AbortSignal,
): Promise<KubeletExplanation | undefined> {
  const { nodeName: node } = pod.spec;
  if (node === undefined) return undefined;
  const at = timestamp(clock.now());
  try {
    const { items } = (await read(kubelets, node, pathTo("decisions", pod), signal)) as {
      readonly items: KubeletExplanation["decisions"];
    };
    return { node, at, decisions: items };
  } catch (e) {
    return { node, at, decisions: [], error: (e as Error).message };
  }
}

/** Most nodes that a request about a service is sent to. */
const mostNodes = 3;

/** Nodes with endpoints of the service first; any others when it has none. */
async function nodesFor(service: Service, reader: Reader): Promise<readonly string[]> {
  const { items } = await reader.related(endpointSlices, "service", keyOf(service));
  const names = items.flatMap(({ endpoints = [] }) => endpoints.flatMap(({ nodeName }) => nodeName ?? []));
  return [...new Set(names)].toSorted().slice(0, mostNodes);
}

/** The rules of the proxies of some nodes for a service with an address; of nodes that the user may read. */
export async function servicePart(
  service: Service,
  { kubelets, reader }: Ports & { readonly reader: Reader },
  signal: AbortSignal,
): Promise<readonly ServiceExplanation[] | undefined> {
  const { clusterIP = "None" } = service.spec;
  if (clusterIP === "None" || clusterIP === "") return undefined;
  const names = await nodesFor(service, reader);
  const rules = names.map(async (node): Promise<readonly ServiceExplanation[]> => {
    if (!(await reader.may("get", nodes, undefined, node))) return [];
    try {
      const { items } = (await read(kubelets, node, pathTo("serviceRules", service), signal)) as {
        readonly items: ServiceExplanation["rules"];
      };
      return [{ node, rules: items }];
    } catch (e) {
      return [{ node, rules: [], error: (e as Error).message }];
    }
  });
  return (await Promise.all(rules)).flat();
}
