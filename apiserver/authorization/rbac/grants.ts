// Roles and bindings, indexed by the subjects they are bound to, as objects come and go. A decision reads the grants of
// one user in one namespace, whatever else there is.
import type { ClusterRole, ClusterRoleBinding, PolicyRule, RbacV1Subject } from "../../../api/generated/types.ts";
import type { Role, RoleBinding, RoleRef } from "../../../api/generated/types.ts";
import { type Key, key, splitKey } from "../../../api/meta.ts";
import type { User } from "../authorizer.ts";

type Binding = RoleBinding | ClusterRoleBinding;

/** A binding of one subject. */
export interface Grant {
  readonly binding: Binding;
  readonly subject: RbacV1Subject;
}

/** The subject as users have it: a user's name, or a group. */
function subjectId({ kind, name, namespace }: RbacV1Subject, bindingNamespace: string | undefined): string {
  if (kind !== "ServiceAccount") return `${kind} ${name}`;
  return `User system:serviceaccount:${namespace || (bindingNamespace ?? "")}:${name}`;
}
const subjectIds = new WeakMap<User, readonly string[]>();
/** The subjects that a user is. Kept, since the requests of a connection share their user. */
function idsOf(user: User): readonly string[] {
  const known = subjectIds.get(user);
  if (known) return known;
  const ids = [`User ${user.name}`, ...user.groups.map((group) => `Group ${group}`)];
  subjectIds.set(user, ids);
  return ids;
}

/** Grants by subject. */
type BySubject = Map<string, Map<Key, Grant>>;

export interface Grants {
  setRole(kind: "Role" | "ClusterRole", key: Key, role: Role | ClusterRole | undefined): void;
  /** The key has a namespace when the binding is a RoleBinding. */
  setBinding(key: Key, binding: Binding | undefined): void;
  /** The user's grants: for the whole cluster, and those of a namespace. */
  of(user: User, namespace: string | undefined): Iterable<Grant>;
  /** The rules of a role; undefined when it does not exist. */
  rulesOf(roleRef: Pick<RoleRef, "kind" | "name">, namespace: string | undefined): readonly PolicyRule[] | undefined;
}

/** No roles and no bindings yet. */
export function grants(): Grants {
  const rules = new Map<string, readonly PolicyRule[]>();
  const bindings = new Map<Key, Binding>();
  /** By namespace; under the empty text, those for the whole cluster. */
  const byNamespace = new Map<string, BySubject>();
  const roleId = (kind: string, k: Key): string => `${kind} ${k}`;
  const each = (k: Key, binding: Binding, visit: (id: string, grant: Grant) => void): void => {
    const { namespace } = splitKey(k);
    for (const subject of binding.subjects ?? []) visit(subjectId(subject, namespace), { binding, subject });
  };
  const remove = (k: Key, binding: Binding): void => {
    const { namespace = "" } = splitKey(k);
    const subjects = byNamespace.get(namespace);
    each(k, binding, (id) => {
      const own = subjects?.get(id);
      if (own?.delete(k) && own.size === 0) subjects!.delete(id);
    });
    if (subjects?.size === 0) byNamespace.delete(namespace);
  };
  const add = (k: Key, binding: Binding): void => {
    const { namespace = "" } = splitKey(k);
    const subjects: BySubject = byNamespace.get(namespace) ?? new Map();
    byNamespace.set(namespace, subjects);
    each(k, binding, (id, grant) => subjects.set(id, (subjects.get(id) ?? new Map<Key, Grant>()).set(k, grant)));
  };
  return {
    setRole(kind, k, role) {
      if (role) rules.set(roleId(kind, k), role.rules ?? []);
      else rules.delete(roleId(kind, k));
    },
    setBinding(k, binding) {
      const before = bindings.get(k);
      if (before) remove(k, before);
      if (binding) {
        bindings.set(k, binding);
        add(k, binding);
      } else bindings.delete(k);
    },
    *of(user, namespace) {
      const ids = idsOf(user);
      for (const place of namespace ? ["", namespace] : [""]) {
        const subjects = byNamespace.get(place);
        if (subjects) for (const id of ids) yield* subjects.get(id)?.values() ?? [];
      }
    },
    rulesOf: ({ kind, name }, namespace) =>
      rules.get(roleId(kind, kind === "Role" ? key(namespace, name) : key(undefined, name))),
  };
}

/** The namespace of a binding; undefined for one that is valid everywhere. */
export const namespaceOf = ({ binding }: Grant): string | undefined => binding.metadata.namespace || undefined;
