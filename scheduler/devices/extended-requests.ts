// The requests for devices that stand for a pod's requests of extended resources, and which container uses which.
// Source: KEP-5004.
import type { Container, ContainerExtendedResourceRequest, DeviceRequest, Pod } from "../../api/generated/types.ts";
import { parseQuantity } from "../../api/quantity.ts";

export interface ExtendedRequests {
  readonly requests: readonly DeviceRequest[];
  readonly mappings: readonly ContainerExtendedResourceRequest[];
}
/** A request of one container for more devices than those of other containers that it may use. */
interface OwnRequest {
  readonly name: string;
  readonly count: number;
}
interface Indexed {
  readonly container: Container;
  /** Among init containers and containers. */
  readonly index: number;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const unit = 1_000_000_000n;
/** The requested number of devices; 0 where none or no whole number is requested. */
function countOf({ resources }: Container, resource: string): number {
  const nano = parseQuantity(resources?.requests?.[resource] ?? "0")?.nano ?? 0n;
  return nano % unit === 0n ? Number(nano / unit) : 0;
}
/** Names a request by the places of the container and of the resource among its requests. */
const nameOf = ({ container, index }: Indexed, resource: string): string =>
  `container-${index}-request-${Object.keys(container.resources?.requests ?? {})
    .toSorted(byText)
    .indexOf(resource)}`;

/** What a container requests itself, and all requests whose devices it uses. */
function requestOf(
  indexed: Indexed,
  resource: string,
  reusable: readonly OwnRequest[],
): { readonly own?: OwnRequest; readonly uses: readonly string[] } {
  let missing = countOf(indexed.container, resource);
  const uses: string[] = [];
  for (const { name, count } of reusable) {
    if (missing <= 0) break;
    uses.push(name);
    missing -= count;
  }
  if (missing <= 0) return { uses };
  const own = { name: nameOf(indexed, resource), count: missing };
  return { own, uses: [...uses, own.name] };
}

/**
 * The requests for one resource. Init containers that end use the devices of containers that start after them, and
 * share what they need beyond that: they run one after another.
 */
function requestsFor(resource: string, all: readonly Indexed[], isBrief: (indexed: Indexed) => boolean) {
  const mappings: ContainerExtendedResourceRequest[] = [];
  const map = ({ container }: Indexed, requestName: string): void =>
    void mappings.push({ containerName: container.name, resourceName: resource, requestName });
  const lasting = new Map<number, OwnRequest>();
  for (const indexed of all.filter((one) => !isBrief(one))) {
    const { own, uses } = requestOf(indexed, resource, []);
    if (own) lasting.set(indexed.index, own);
    for (const name of uses) map(indexed, name);
  }
  const brief = all.filter(isBrief).map((indexed) => {
    const later = [...lasting].filter(([index]) => index >= indexed.index).map(([, request]) => request);
    return { indexed, ...requestOf(indexed, resource, later) };
  });
  const extra = brief.flatMap(({ own }) => own ?? []);
  const largest = extra.reduce<OwnRequest | undefined>((a, b) => (a && a.count >= b.count ? a : b), undefined);
  const replaced = new Set(extra.map(({ name }) => name));
  for (const { indexed, uses } of brief)
    for (const name of uses) map(indexed, largest && replaced.has(name) ? largest.name : name);
  return { requests: [...(largest ? [largest] : []), ...lasting.values()], mappings };
}

/** The requests of a pod for these resources, each with the class that provides it. */
export function extendedRequests({ spec }: Pod, classes: ReadonlyMap<string, string>): ExtendedRequests {
  const { initContainers = [], containers } = spec;
  const all = [...initContainers, ...containers].map((container, index) => ({ container, index }));
  const isBrief = ({ container, index }: Indexed): boolean =>
    index < initContainers.length && container.restartPolicy !== "Always";
  const byResource = [...classes]
    .toSorted(([a], [b]) => byText(a, b))
    .map(([resource, deviceClassName]) => ({ deviceClassName, ...requestsFor(resource, all, isBrief) }));
  return {
    requests: byResource
      .flatMap(({ requests, deviceClassName }) =>
        requests.map(({ name, count }) => ({
          name,
          exactly: { deviceClassName, allocationMode: "ExactCount" as const, count },
        })),
      )
      .toSorted((a, b) => byText(a.name, b.name)),
    mappings: byResource.flatMap(({ mappings }) => mappings),
  };
}
