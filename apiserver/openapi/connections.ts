// Parts of a kind that lead to something alive behind the API: sessions, logs, proxies. They are asked with parameters
// of their own, and answer with whatever is there. Pure.
import type { Subresource } from "../../api/kinds.ts";
import { partOf } from "../discovery/resources.ts";
import { capital, type Method, type Operation, type Path, type Speaker } from "./paths.ts";

const streams = ["stderr", "stdin", "stdout", "tty"];
const asked: Readonly<Partial<Record<Subresource, readonly string[]>>> = {
  exec: ["command", "container", ...streams],
  attach: ["container", ...streams],
  portforward: ["ports"],
  proxy: ["path"],
  log: [
    "container",
    "follow",
    "insecureSkipTLSVerifyBackend",
    "limitBytes",
    "pretty",
    "previous",
    "sinceSeconds",
    "stream",
    "tailLines",
    "timestamps",
  ],
};
const proxied: readonly Method[] = ["delete", "get", "head", "options", "patch", "post", "put"];

/** The paths of a part that is one of these; undefined for any other. */
export function connections(s: Speaker, object: string, name: Subresource): readonly Path[] | undefined {
  const own = asked[name];
  if (!own) return undefined;
  const { r, scoped, tag } = s;
  const { kind } = partOf(r, name);
  const gvk = { ...s.gvk, kind };
  const parameters = ["name", ...(scoped === "" ? [] : ["namespace"]), ...own];
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
