// Impersonation: a request made as another user, for which the caller needs the verb `impersonate`.
import { ApiError } from "../../api/errors.ts";
import { validateLabelName, validateSubdomainName } from "../../api/names.ts";
import { accountGroups } from "./claims.ts";
import { anonymous } from "./authenticate.ts";
import type { Authorizer, RequestInfo, User } from "../authorization/authorizer.ts";
import { accessDenied } from "../registry/refusals.ts";

/** Headers as they came: name, value, name, value. Several of one name are several values. */
type RawHeaders = readonly string[];

const extraPrefix = "impersonate-extra-";

/** Whom a request is to be made as. */
interface Wish {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

function wishIn(headers: RawHeaders): Wish {
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  let [name, uid] = ["", ""];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [header, value] = [headers[i]!.toLowerCase(), headers[i + 1]!];
    if (header === "impersonate-user") name ||= value;
    else if (header === "impersonate-uid") uid ||= value;
    else if (header === "impersonate-group") groups.push(value);
    else if (header.startsWith(extraPrefix)) {
      const key = unescaped(header.slice(extraPrefix.length));
      extra.set(key, [...(extra.get(key) ?? []), value]);
    }
  }
  return { name, uid, groups, extra };
}

/** The service account a name is of, if it is of one. */
function accountIn(name: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, , namespace, account, ...more] = name.startsWith("system:serviceaccount:") ? name.split(":") : [];
  if (namespace === undefined || account === undefined || more.length > 0) return undefined;
  const isWrong = validateLabelName(namespace, "").length + validateSubdomainName(account, "").length > 0;
  return isWrong ? undefined : { namespace, name: account };
}

/** The attributes that must be authorized, one for each impersonated value. */
function attempts({ name, uid, groups, extra }: Wish): readonly RequestInfo[] {
  const account = accountIn(name);
  const be = (of: Omit<RequestInfo, "verb">): RequestInfo => ({ verb: "impersonate", group: "", ...of });
  const values = [...extra].flatMap(([key, all]) => all.map((value) => [key, value] as const));
  const authentication = { group: "authentication.k8s.io", version: "v1" };
  return [
    account ? be({ resource: "serviceaccounts", ...account }) : be({ resource: "users", name }),
    ...groups.map((group) => be({ resource: "groups", name: group })),
    ...values.map(([subresource, value]) =>
      be({ ...authentication, resource: "userextras", subresource, name: value }),
    ),
    ...(uid === "" ? [] : [be({ ...authentication, resource: "uids", name: uid })]),
  ];
}

const authenticatedGroup = "system:authenticated";
const unauthenticatedGroup = anonymous.groups[0]!;

/** The requested groups, or those of the service account, with system:authenticated or :unauthenticated. */
function groupsOf({ name, groups }: Wish): readonly string[] {
  const account = accountIn(name);
  const requested = groups.length > 0 || !account ? groups : accountGroups(account.namespace);
  if (name === anonymous.name)
    return requested.includes(unauthenticatedGroup) ? requested : [...requested, unauthenticatedGroup];
  return requested.includes(authenticatedGroup) || requested.includes(unauthenticatedGroup)
    ? requested
    : [...requested, authenticatedGroup];
}

const list = (words: readonly string[]): string => `[]string{${words.map((word) => JSON.stringify(word)).join(", ")}}`;
/** The request as Kubernetes prints it, in Go syntax. */
function shown({ uid, groups, extra }: Wish): string {
  const pairs = [...extra].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const map = `map[string][]string{${pairs.map(([key, all]) => `${JSON.stringify(key)}:${list(all)}`).join(", ")}}`;
  const [some, more] = [
    groups.length > 0 ? list(groups) : "[]string(nil)",
    extra.size > 0 ? map : "map[string][]string(nil)",
  ];
  return `&user.DefaultInfo{Name:"", UID:${JSON.stringify(uid)}, Groups:${some}, Extra:${more}}`;
}

/** The impersonated user. Rejects when impersonation is not authorized, or groups are named without a user. */
export async function impersonated(user: User, headers: RawHeaders, authorizer: Authorizer): Promise<User> {
  const wish = wishIn(headers);
  if (wish.name === "") {
    if (wish.uid === "" && wish.groups.length === 0 && wish.extra.size === 0) return user;
    throw new ApiError("BadRequest", `requested ${shown(wish)} without impersonating a user name`);
  }
  for (const info of attempts(wish)) {
    const attributes = { ...info, user };
    const { allowed, reason } = await authorizer.decide(attributes);
    if (!allowed) throw accessDenied(attributes, reason);
  }
  const { name, uid, extra } = wish;
  return {
    name,
    ...(uid !== "" && { uid }),
    groups: groupsOf(wish),
    ...(extra.size > 0 && { extra: Object.fromEntries(extra) }),
  };
}
