// Paths of subresources that connect to a session, a log or a proxy: they have query parameters of their own and
// responses of any type. Pure.
import type { Subresource } from "../../api/kinds.ts";
import { subresources } from "../registry/subresources.ts";
import { capital, type Method, type Operation, type Path, type Speaker } from "./paths.ts";

const proxied: readonly Method[] = ["delete", "get", "head", "options", "patch", "post", "put"];

/** The paths of a connection; undefined for any other subresource. */
export function connections(s: Speaker, object: string, name: Subresource): readonly Path[] | undefined {
  const { connects } = subresources[name];
  if (!connects) return undefined;
  const { r, scoped, tag } = s;
  const gvk = { ...s.gvk, kind: connects.options(r) };
  const parameters = ["name", ...(scoped === "" ? [] : ["namespace"]), ...connects.parameters];
  const common = { tag, kind: gvk, query: [], answers: { 200: undefined } };
  const rest = `${scoped}${r.kind}${capital(name)}`;
  if (name === "log") {
    const description = `read log of the specified ${r.kind}`;
    const operation: Operation = { ...common, method: "get", id: s.id("read", rest), description, action: "get" };
    return [{ path: `${object}/log`, parameters, operations: [operation] }];
  }
  const to = (method: Method, more: string): Operation => ({
    ...common,
    method,
    id: s.id("connect", `${capital(method)}${rest}${more}`),
    description: `connect ${method.toUpperCase()} requests to ${name} of ${r.kind}`,
    action: "connect",
  });
  const methods = name === "proxy" ? proxied : (["get", "post"] as const);
  const path = `${object}/${name}`;
  const plain = { path, parameters, operations: methods.map((method) => to(method, "")) };
  if (name !== "proxy") return [plain];
  const behind = methods.map((method) => to(method, "WithPath"));
  return [plain, { path: `${path}/{path}`, parameters: [...parameters, "{path}"], operations: behind }];
}
