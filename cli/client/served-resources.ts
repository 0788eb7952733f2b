// Reads which resources a server serves: by aggregated discovery (KEP-3352), or by group on servers before 1.26.
import type { Connection } from "./connection.ts";
import { type Resource, apiVersionOf } from "./resources.ts";

interface AggregatedGroup {
  readonly metadata: { readonly name?: string };
  readonly versions: readonly {
    readonly version: string;
    readonly resources?: readonly {
      readonly resource: string;
      readonly singularResource?: string;
      readonly responseKind: { readonly kind: string };
      readonly scope: "Namespaced" | "Cluster";
      readonly shortNames?: readonly string[];
      readonly categories?: readonly string[];
      readonly verbs?: readonly string[];
      readonly subresources?: readonly { readonly subresource: string }[];
    }[];
  }[];
}
interface GroupVersions {
  readonly name: string;
  readonly versions: readonly { readonly version: string }[];
}
/** The response of `/api` and `/apis`: of the aggregated form, or that of all versions of Kubernetes. */
interface Discovery {
  readonly items?: readonly AggregatedGroup[];
  readonly versions?: readonly string[];
  readonly groups?: readonly GroupVersions[];
}
interface ResourceList {
  readonly resources: readonly {
    readonly name: string;
    readonly singularName?: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
    readonly verbs?: readonly string[];
  }[];
}
const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

const aggregatedResources = ({ metadata, versions }: AggregatedGroup): readonly Resource[] =>
  versions.flatMap(({ version, resources = [] }) =>
    resources.map((r) => ({
      group: metadata.name ?? "",
      version,
      plural: r.resource,
      singular: r.singularResource ?? "",
      kind: r.responseKind.kind,
      namespaced: r.scope === "Namespaced",
      shortNames: r.shortNames ?? [],
      categories: r.categories ?? [],
      verbs: r.verbs ?? [],
      subresources: (r.subresources ?? []).map((s) => s.subresource),
    })),
  );

/** The resources of one version of a group; none if its server is not available. */
async function resourcesOf(api: Connection, group: string, version: string): Promise<readonly Resource[]> {
  const root = group === "" ? "/api" : "/apis";
  const path = `${root}/${apiVersionOf({ group, version })}`;
  const { resources } = await api.get<ResourceList>(path).catch((): ResourceList => ({ resources: [] }));
  return resources
    .filter(({ name }) => !name.includes("/"))
    .map((r) => ({
      group,
      version,
      plural: r.name,
      singular: r.singularName ?? "",
      kind: r.kind,
      namespaced: r.namespaced,
      shortNames: r.shortNames ?? [],
      categories: r.categories ?? [],
      verbs: r.verbs ?? [],
      subresources: resources.flatMap(({ name }) =>
        name.startsWith(`${r.name}/`) ? [name.slice(r.name.length + 1)] : [],
      ),
    }));
}

async function resourcesBelow(api: Connection, path: "/api" | "/apis"): Promise<readonly Resource[]> {
  const { body } = await api.request<Discovery>({ path, accept });
  if (body.items) return body.items.flatMap(aggregatedResources);
  const core: GroupVersions = { name: "", versions: (body.versions ?? []).map((version) => ({ version })) };
  const lists = (body.groups ?? [core]).flatMap(({ name, versions }) =>
    versions.map(({ version }) => resourcesOf(api, name, version)),
  );
  return (await Promise.all(lists)).flat();
}

/** All resources the server serves, preferred groups and versions first. */
export const servedResources = async (api: Connection): Promise<readonly Resource[]> =>
  (await Promise.all([resourcesBelow(api, "/api"), resourcesBelow(api, "/apis")])).flat();
