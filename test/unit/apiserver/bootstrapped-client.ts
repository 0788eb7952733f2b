// A client of a server in memory that has the objects of a fresh cluster.
import type { AdmissionConfig } from "../../../apiserver/admission/plugins.ts";
import { bootstrap } from "../../../apiserver/bootstrap/objects.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import type { Client } from "../../../machinery/client.ts";
import { realWorld } from "../../../machinery/real-world.ts";
import type { World } from "../../../machinery/world.ts";

const serviceCidr = "10.96.0.0/16";
const nodePorts = { from: 30_000, to: 32_767 };

export async function bootstrappedClient(
  world: World = realWorld(() => {}),
  admission: Partial<AdmissionConfig> = {},
): Promise<Client> {
  const client = inProcessClient(clusterRegistry(memoryStorage(), world, { ...admission, serviceCidr, nodePorts }));
  await bootstrap(client, { address: "10.0.0.1", port: 6443, serviceCidr });
  return client;
}
