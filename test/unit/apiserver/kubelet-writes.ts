// Writes to a server in memory, by its administrator and by the kubelet of the node n.
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import type { ResourceDefinition, Subresource } from "../../../api/kinds.ts";
import { type ApiObject, type Draft, type Key, key } from "../../../api/meta.ts";
import type { Authorizer, User } from "../../../apiserver/authorization/authorizer.ts";
import { bootstrap } from "../../../apiserver/bootstrap/objects.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { objectOf } from "../../../apiserver/registry/codec.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import type { WritableSubresource } from "../../../machinery/client.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { kindRegistry } from "../../../machinery/kind-registry.ts";
import { realWorld } from "../../../machinery/real-world.ts";

const serviceCidr = "10.96.0.0/16";
const nodePorts = { from: 30_000, to: 32_767 };
export const kubelet: User = { name: "system:node:n", groups: ["system:nodes"] };

/** A definition of any kind. */
export type Kind = Pick<ResourceDefinition, "kind" | "plural" | "group">;
const definition = (r: Kind): ResourceDefinition => r as ResourceDefinition;

export const inDefault = (name: string): Key => key("default", name);
export const atCluster = (name: string): Key => key(undefined, name);

/** The message of the refusal; `allowed` without one. */
export async function outcomeOf(write: Promise<unknown>): Promise<string> {
  try {
    await write;
    return "allowed";
  } catch (e) {
    return (e as Error).message;
  }
}

/** A fresh cluster whose authorizer decides what admission asks it. */
export async function cluster(authorizer: Authorizer) {
  const world = realWorld(() => {});
  const kinds = kindRegistry(builtinKinds);
  const registry = clusterRegistry(memoryStorage(), world, { kinds, authorizer, serviceCidr, nodePorts });
  const client = inProcessClient(registry);
  await bootstrap(client, { address: "10.0.0.1", port: 6443, serviceCidr });
  const create = async (r: Kind, draft: object, user?: User): Promise<any> =>
    objectOf(
      await registry.create(definition(r), { kind: r.kind, ...draft } as Draft<ApiObject>, { ...(user && { user }) }),
    );
  return {
    /** As the administrator does. */
    make: (r: Kind, draft: object) => create(r, draft),
    create: (r: Kind, draft: object, user = kubelet) => create(r, draft, user),
    change: (r: Kind, at: Key, next: (o: any) => object, subresource?: WritableSubresource) =>
      registry.change({ r: definition(r), key: at, subresource }, (o) => next(structuredClone(o)) as ApiObject, {
        user: kubelet,
      }),
    remove: (r: Kind, at: Key) => registry.delete({ r: definition(r), key: at }, { user: kubelet }),
    send: (r: Kind, at: Key, subresource: Subresource, body: object) =>
      registry.admit(
        { r: definition(r), key: at },
        { operation: "CREATE", subresource, object: body as ApiObject, options: { user: kubelet } },
      ),
  };
}
export type Cluster = Awaited<ReturnType<typeof cluster>>;
