// What the nodes of a cluster agree on, kept in a ConfigMap that machines with a bootstrap token may read: what `up`
// writes into the configuration of its own nodes.
import { configMaps } from "../../api/core/configmaps.ts";
import { hasReason, ifFound } from "../../api/errors.ts";
import type { ConfigMap } from "../../api/generated/types.ts";
import { type Draft, key } from "../../api/meta.ts";
import { nodeSettings as place } from "../../api/core/bootstrap-tokens.ts";
import type { Client } from "../../machinery/client.ts";
import type { AgentConfig, ServerConfig } from "../cluster/config.ts";
import { CliError } from "../cli-error.ts";

/** The part of an agent's configuration that is the same on every node. */
export type NodeSettings = Pick<
  AgentConfig,
  "podRange" | "serviceRange" | "clusterDns" | "clusterDomain" | "timings" | "registry" | "countsTraffic"
>;

const field = "settings.json";

/** Writes the settings of a cluster where nodes that join find them. */
export async function publishNodeSettings(client: Client, config: ServerConfig): Promise<void> {
  const { podRange, serviceRange, clusterDns, clusterDomain, timings, registry } = config;
  const settings: NodeSettings = {
    ...{ podRange, serviceRange, clusterDns, clusterDomain, timings },
    ...(registry !== undefined && { registry }),
    ...(config.monitoring && { countsTraffic: true }),
  };
  const data = { [field]: JSON.stringify(settings) };
  const found = await ifFound(client.get(configMaps, key(place.namespace, place.name)));
  if (found?.data?.[field] === data[field]) return;
  const draft: Draft<ConfigMap> = { kind: "ConfigMap", metadata: place, data };
  const written = found ? client.update(configMaps, { ...found, data }) : client.create(configMaps, draft);
  await written.catch((e: unknown) => {
    // Another control plane of the cluster was faster, with the same settings.
    if (!hasReason(e, "Conflict") && !hasReason(e, "AlreadyExists")) throw e;
  });
}

/** Reads the settings. Throws CliError when the cluster has none. */
export async function readNodeSettings(client: Client): Promise<NodeSettings> {
  const found = await ifFound(client.get(configMaps, key(place.namespace, place.name)));
  const text = found?.data?.[field];
  if (text === undefined)
    throw new CliError(
      "the cluster does not say how its nodes are configured",
      "Only clusters of Orrery can be joined; start this one's control plane again with a current version: orrery up",
    );
  return JSON.parse(text) as NodeSettings;
}
