// What a cluster has before anybody asks for anything: its own namespaces, and an address for its API.
import { namespaces } from "../api/kinds/namespaces.ts";
import type { ApiObject, Draft } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import { ensure } from "./ensure.ts";
import { type Advertised, ownService } from "./own-service.ts";

const names = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Make what is missing. */
export async function bootstrap(client: Client, advertised: Advertised): Promise<void> {
  for (const name of names) await ensure(client, namespaces, { metadata: { name } } as Draft<ApiObject>);
  await ownService(client, advertised);
}
