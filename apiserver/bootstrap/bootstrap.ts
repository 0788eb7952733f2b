// The system namespaces with their default accounts, and the service default/kubernetes.
import { namespaces } from "../../api/core/namespaces.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import type { ApiObject, Draft } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import { ensure } from "./ensure.ts";
import { immortal } from "../admission/namespaces.ts";
import { type Advertised, ownService } from "./own-service.ts";

const names = [...immortal, "kube-node-lease"];

/** Make what is missing. */
export async function bootstrap(client: Client, advertised: Advertised): Promise<void> {
  for (const name of names) await ensure(client, namespaces, { metadata: { name } } as Draft<ApiObject>);
  for (const namespace of immortal)
    await ensure(client, serviceAccounts, { metadata: { name: "default", namespace } } as Draft<ApiObject>);
  await ownService(client, advertised);
}
